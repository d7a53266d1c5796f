// The distillation plugin: which class serves which technique of plugin.toml.
#include "recovery.hpp"
#include "student.hpp"

#include <topress/plugin.hpp>

TOPRESS_PLUGIN(TOPRESS_TECHNIQUE("distillation.student", topress::distillation::Student),
               TOPRESS_TECHNIQUE("distillation.recovery", topress::distillation::Recovery));
