// An inline variable with default visibility: STB_GNU_UNIQUE, bound across libraries even if opened
// locally.
namespace zoo {

template <class T>
struct [[gnu::visibility("default")]] Shared {
    static inline int count = 0;
};

int touch() {
    return ++Shared<int>::count;
}

}  // namespace zoo
