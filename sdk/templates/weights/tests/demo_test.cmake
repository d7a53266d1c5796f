# What the demo must show. LEDGER: its ledger.json; row 0 is the baseline, row 1 the stage.
file(READ "${LEDGER}" ledger)
string(JSON weights GET "${ledger}" rows 1 parameters)
string(JSON zeros GET "${ledger}" rows 1 metrics zero_weights)
math(EXPR percent "100 * ${zeros} / ${weights}")
message("${zeros} of ${weights} parameters became zero: ${percent} %")
if(percent LESS 25 OR percent GREATER 35)
  message(FATAL_ERROR "zero_ratio = 0.3 asks for about 30 %")
endif()
