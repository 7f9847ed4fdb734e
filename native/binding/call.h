#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

#include "binding/environment.h"

namespace interproc::binding {

// The arguments of one call from JavaScript, and its result: straight Node-API, without the C++ wrapper, for each wrapper
// object would cost more than the ring operation itself. The first argument is the token of an object.
struct Call {
  napi_env env;
  napi_value arguments[3];
  Environment& environment;

  Call(napi_env env_in, napi_callback_info info)
      : env(env_in), environment(*find(env_in, info, arguments)) {}

  std::uint32_t number(std::size_t index) const {
    std::uint32_t value = ~0u;
    napi_get_value_uint32(env, arguments[index], &value);
    return value;
  }
  double real(std::size_t index) const {
    double value = 0;
    napi_get_value_double(env, arguments[index], &value);
    return value;
  }
  sync::Side side(std::size_t index) const {
    const std::uint32_t side = number(index);
    return side < sync::kSides ? static_cast<sync::Side>(side) : sync::kTake;
  }
  // The bytes of a typed array; false if the argument is none.
  bool bytes(std::size_t index, std::byte*& data, std::size_t& length) const {
    napi_typedarray_type type = napi_uint8_array;
    void* at = nullptr;
    if (napi_get_typedarray_info(env, arguments[index], &type, &length, &at, nullptr, nullptr) !=
        napi_ok)
      return false;
    data = static_cast<std::byte*>(at);
    return type == napi_uint8_array;
  }
  Environment::Object* object() const { return environment.object(number(0)); }

  napi_value result(std::int64_t value) const {
    napi_value made = nullptr;
    napi_create_int64(env, value, &made);
    return made;
  }
  napi_value code(Code value) const { return result(-static_cast<std::int64_t>(value)); }
  napi_value flag(bool value) const { return result(value ? 1 : 0); }

 private:
  static Environment* find(napi_env env, napi_callback_info info, napi_value (&arguments)[3]) {
    std::size_t count = 3;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
    return static_cast<Environment*>(data);
  }
};

}  // namespace interproc::binding
