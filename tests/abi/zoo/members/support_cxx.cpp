// A library in C++ that static_runtime and the members with operators are linked with.
namespace zoo {

[[gnu::visibility("default")]] int checked_number() {
    return 0;
}

}  // namespace zoo

namespace torch {

class [[gnu::visibility("default")]] Library {
  public:
    explicit Library(int kind);

  private:
    int kind_;
};

Library::Library(int kind) : kind_(kind) {}

}  // namespace torch
