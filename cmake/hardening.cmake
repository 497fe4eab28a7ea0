# Release and RelWithDebInfo are what runs in the open. assert() stays on in them: a daemon that meets the impossible
# shall stop and be restarted, not go on with a state that nobody has thought of.
include(CheckCCompilerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

set(optimised "$<CONFIG:Release,RelWithDebInfo,MinSizeRel>")
foreach(flag IN ITEMS -fstack-protector-strong -fstack-clash-protection -fcf-protection)
    string(MAKE_C_IDENTIFIER "HAVE${flag}" have_flag)
    check_c_compiler_flag(${flag} ${have_flag})
    if(${have_flag})
        add_compile_options($<${optimised}:${flag}>)
    endif()
endforeach()
# Undefined first: distributions put their own level into the compiler or into CFLAGS.
add_compile_options("$<${optimised}:-U_FORTIFY_SOURCE>" "$<${optimised}:-D_FORTIFY_SOURCE=2>")
add_link_options("$<${optimised}:LINKER:-z,relro,-z,now,-z,noexecstack>")

# Messages of assert() name files as they are in the repository, wherever it was built.
add_compile_options("-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=")
