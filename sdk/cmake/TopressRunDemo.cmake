# Test script: runs a configuration with a plugin, then a script that looks at the ledger.
# Variables: PROGRAM, CONFIG, PLUGINS (folder), OUTPUT (folder), CHECK (script, may be empty).
file(REMOVE_RECURSE "${OUTPUT}")
execute_process(COMMAND "${PROGRAM}" run "${CONFIG}" --plugin-path "${PLUGINS}" --output "${OUTPUT}"
                RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
message("${text}")
if(text MATCHES "\\[data/not-found\\]")
  message("[SKIP] the data set of ${CONFIG} is not installed")
  return()
endif()
if(NOT status EQUAL 0)
  message(FATAL_ERROR "topress run ${CONFIG} ended with ${status}")
endif()
if(CHECK)
  execute_process(COMMAND "${CMAKE_COMMAND}" "-DLEDGER=${OUTPUT}/ledger.json" -P "${CHECK}"
                  RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${CHECK} does not accept the ledger ${OUTPUT}/ledger.json")
  endif()
endif()
