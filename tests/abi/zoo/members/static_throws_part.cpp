// A static object whose constructor throws: std::terminate inside of dlopen.
namespace {

struct Throws {
    Throws() { throw 42; }
};

const Throws kThrows;

}  // namespace
