# The system libraries, as PkgConfig:: targets. Which room may use which is said in the room's own CMakeLists.txt.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv>=1.44)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto>=3.0)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1>=0.2.5)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd>=252)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp>=2.5)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.14)

# cmocka is needed for tests only, so a machine without it still gets the programs.
pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka>=1.1)
if(CMOCKA_FOUND)
    option(BUILD_TESTING "Build the tests" ON)
else()
    option(BUILD_TESTING "Build the tests" OFF)
endif()
if(BUILD_TESTING AND NOT CMOCKA_FOUND)
    message(FATAL_ERROR "BUILD_TESTING is on, but cmocka is not installed (scripts/setup installs it)")
endif()
