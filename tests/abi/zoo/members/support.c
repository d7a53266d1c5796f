/* The library that needed_by_path and missing_library are linked with. */
int zoo_support_number(void);

int zoo_support_number(void) {
    return 0;
}
