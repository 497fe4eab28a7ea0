# Warnings for every target. They become errors with CMAKE_COMPILE_WARNING_AS_ERROR, which the presets set; a plain
# build does not, so that a newer compiler with a new opinion cannot break it for a user.
add_compile_options(
    -Wall -Wextra -Wpedantic
    -Wshadow -Wconversion -Wsign-conversion -Wcast-qual
    -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -Wformat=2 -Wundef -Wpointer-arith -Wwrite-strings -Wnull-dereference)
