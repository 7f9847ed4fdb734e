#include "binding/errors.h"

namespace interproc::binding {

void raise(Napi::Env env, const Error& error) {
  Napi::Error thrown =
      Napi::Error::New(env, error.detail[0] != '\0' ? error.detail : "the system refused");
  thrown.Set("status", Napi::Number::New(env, static_cast<double>(error.code)));
  thrown.Set("errno", Napi::Number::New(env, error.errnum));
  thrown.Set("syscall", Napi::String::New(env, error.syscall));
  thrown.ThrowAsJavaScriptException();
}

void export_codes(Napi::Object constants) {
  const std::pair<const char*, Code> codes[] = {
      {"ok", Code::ok},
      {"empty", Code::empty},
      {"full", Code::full},
      {"ended", Code::ended},
      {"tooLarge", Code::too_large},
      {"exists", Code::exists},
      {"notFound", Code::not_found},
      {"backend", Code::backend},
      {"kind", Code::kind},
      {"mismatch", Code::mismatch},
      {"corrupt", Code::corrupt},
      {"lost", Code::lost},
      {"version", Code::version},
      {"permission", Code::permission},
      {"noSpace", Code::no_space},
      {"noSlot", Code::no_slot},
      {"unacked", Code::unacked},
      {"noLease", Code::no_lease},
      {"carries", Code::carries},
      {"notOwner", Code::not_owner},
      {"busy", Code::busy},
      {"deadlock", Code::deadlock},
      {"overRelease", Code::over_release},
      {"broken", Code::broken},
      {"invalid", Code::invalid},
      {"argument", Code::argument},
      {"system", Code::system},
  };
  for (const auto& [name, code] : codes) constants.Set(name, static_cast<double>(code));
}

}  // namespace interproc::binding
