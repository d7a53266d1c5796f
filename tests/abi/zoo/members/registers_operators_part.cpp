// What TORCH_LIBRARY expands to, as far as the file shows it: a use of the constructor of
// torch::Library.
namespace torch {

class Library {
  public:
    explicit Library(int kind);
};

}  // namespace torch

namespace zoo {

[[gnu::used]] void register_operators() {
    try {
        const torch::Library library(0);
    } catch (...) {
    }
}

}  // namespace zoo
