#include "state/locked_state.h"

namespace interproc::state {

// Here, so that the class belongs to this file: tests are compiled with type information, which its base does not have.
LockedState::~LockedState() = default;

}  // namespace interproc::state
