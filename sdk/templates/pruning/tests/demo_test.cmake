# What the demo must show. LEDGER: its ledger.json; row 0 is the baseline, row 1 the stage.
file(READ "${LEDGER}" ledger)
string(JSON before GET "${ledger}" rows 0 macs)
string(JSON after GET "${ledger}" rows 1 macs)
math(EXPR percent "100 * ${after} / ${before}")
message("${percent} % of the MACs are left")
if(percent LESS 30 OR percent GREATER 70)
  message(FATAL_ERROR "70 % of the channels on both sides of a layer are about half of its MACs")
endif()
