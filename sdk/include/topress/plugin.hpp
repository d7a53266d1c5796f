// What a plugin is written with: the Technique base class and the macro that makes a library a
// plugin.
#pragma once

#include <topress/abi.h>
#include <topress/context.hpp>
#include <topress/detail/entry.hpp>
#include <topress/detail/error.hpp>
#include <topress/detail/host.hpp>
#include <topress/fingerprint.hpp>
#include <topress/model.hpp>
#include <topress/params.hpp>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

namespace topress {

/// One compression technique; derive, override apply(), and name the class in TOPRESS_PLUGIN.
/// An exception from either function ends the stage and is reported with its first line; throw
/// PluginError to choose the status and to name the place.
class Technique {
  public:
    virtual ~Technique() = default;
    Technique(const Technique&) = delete;
    Technique& operator=(const Technique&) = delete;

    /// Takes the parameters; called once, before apply().
    virtual void configure(const Params& /*params*/) {}

    /// Does the work on `model`, in place. When it throws, the host goes back to the stage's input.
    virtual void apply(Model& model, Context& context) = 0;

  protected:
    Technique() = default;
};

namespace detail {

/// One line of TOPRESS_PLUGIN.
struct TechniqueFactory {
    const char* id;
    std::unique_ptr<Technique> (*make)();
};

template <class Class>
std::unique_ptr<Technique> make_technique() {
    return std::make_unique<Class>();
}

inline Technique& to_technique(topress_technique* technique) {
    return *reinterpret_cast<Technique*>(technique);
}

/// The function table over the techniques of one library.
template <const auto& Factories>
struct TechniqueTable {
    static topress_status create(const char* id, topress_technique** out, topress_error* error) {
        return guarded(error, [&] {
            for (const TechniqueFactory& factory : Factories) {
                if (std::strcmp(factory.id, id) == 0) {
                    *out = reinterpret_cast<topress_technique*>(factory.make().release());
                    return;
                }
            }
            throw PluginError(TOPRESS_ERROR_NOT_FOUND, "no technique '" + std::string(id) + "'");
        });
    }

    static void destroy(topress_technique* technique) {
        guarded(nullptr, [&] { delete &to_technique(technique); });
    }

    static topress_status configure(topress_technique* technique,
                                    const topress_value* values,
                                    std::uint64_t count,
                                    topress_error* error) {
        return guarded(error, [&] { to_technique(technique).configure(Params(values, count)); });
    }

    static topress_status apply(topress_technique* technique,
                                const topress_stage* stage,
                                topress_error* error) {
        return guarded(error, [&] {
            Model model(stage->model);
            Context context(*stage);
            to_technique(technique).apply(model, context);
        });
    }

    static constexpr topress_techniques_v1 kTable = {
        sizeof(topress_techniques_v1), &create, &destroy, &configure, &apply};
};

/// Keeps the host, then runs the author's hook if there is one.
inline topress_status initialise(const topress_host* host, topress_error* error) {
    g_host = host;
    return guarded(error, [] {
        if (&topress_plugin_author_init != nullptr) {
            topress_plugin_author_init();
        }
    });
}

inline void quiesce() {
    if (&topress_plugin_author_quiesce != nullptr) {
        guarded(nullptr, [] { topress_plugin_author_quiesce(); });
    }
}

inline const void* find_interface(const char* id, const topress_techniques_v1& techniques) {
    return std::strcmp(id, TOPRESS_TECHNIQUES_1) == 0 ? &techniques : nullptr;
}

}  // namespace detail
}  // namespace topress

/// One technique of a plugin: its id in plugin.toml and its class.
#define TOPRESS_TECHNIQUE(id, Class)                  \
    ::topress::detail::TechniqueFactory {             \
        id, &::topress::detail::make_technique<Class> \
    }

/// Makes the library a plugin with these techniques. Once for each library, at namespace scope:
///     TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("scale.weights", ScaleWeights))
#define TOPRESS_PLUGIN(...)                                                                 \
    namespace topress_plugin_detail {                                                       \
    constexpr ::topress::detail::TechniqueFactory kFactories[] = {__VA_ARGS__};             \
    using Table = ::topress::detail::TechniqueTable<kFactories>;                            \
    }                                                                                       \
    extern "C" {                                                                            \
    __attribute__((section(".note.topress.abi"),                                            \
                   used,                                                                    \
                   aligned(4))) constexpr ::topress::detail::Note<topress_abi_note>         \
        topress_plugin_abi_note = {sizeof(TOPRESS_NOTE_NAME),                               \
                                   sizeof(topress_abi_note),                                \
                                   TOPRESS_ABI_NOTE_TYPE,                                   \
                                   TOPRESS_NOTE_NAME,                                       \
                                   ::topress::make_abi_note()};                             \
    topress_status topress_plugin_init(const topress_host* host, topress_error* error) {    \
        return ::topress::detail::initialise(host, error);                                  \
    }                                                                                       \
    void topress_plugin_quiesce() {                                                         \
        ::topress::detail::quiesce();                                                       \
    }                                                                                       \
    const void* topress_plugin_get_interface(const char* id) {                              \
        return ::topress::detail::find_interface(id, topress_plugin_detail::Table::kTable); \
    }                                                                                       \
    }                                                                                       \
    static_assert(true, "a semicolon may follow")

/// Runs `function` (void()) once at init, when the host's tables can already be used; for plugins
/// that offer operator implementations. An exception from it refuses the plugin.
#define TOPRESS_PLUGIN_INIT(function)              \
    extern "C" void topress_plugin_author_init() { \
        function();                                \
    }                                              \
    static_assert(true, "a semicolon may follow")

/// Runs `function` (void()) when the process is about to end: the place to stop own threads.
#define TOPRESS_PLUGIN_QUIESCE(function)              \
    extern "C" void topress_plugin_author_quiesce() { \
        function();                                   \
    }                                                 \
    static_assert(true, "a semicolon may follow")
