// Uses the C++ runtime, and C++ of another library.
#include <stdexcept>

namespace zoo {

int checked_number();

[[gnu::used]] int guarded_number() {
    try {
        return checked_number();
    } catch (const std::exception& error) {
        return error.what()[0];
    }
}

}  // namespace zoo
