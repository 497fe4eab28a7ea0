# The folders under src/ are rooms: static libraries that reach no further than they say.
#
#   usmpd_room(registry SOURCES registry.c lookup.c USES config crypto LIBRARIES PkgConfig::YAML)
#   usmpd_program(usmpd SOURCES main.c USES config worker delivery LIBRARIES PkgConfig::LIBUV)
#   usmpd_test(registry_lookup SOURCES test_lookup.c USES registry WRAP malloc)
#   usmpd_fuzz(frame SOURCES fuzz_frame.c USES proto)
#
# A room's headers are included as "registry/lookup.h" by everybody, the room itself too. There is one include
# directory per room, which holds nothing but a link of the room's name to its folder, and a target gets those of the
# rooms that it names in USES. So a header of any other room, even of one that a named room uses, is not found.
# Symbols do come along: the archives of a used room's own rooms are linked behind it.
#
# libusmp is the room `proto`. Its public headers <usmp/…> are what other rooms and programs get with USES proto; the
# headers inside src/proto ("proto/…") are for itself, its tests and its fuzz targets.

set(USMPD_TEST_PATIENCE 1 CACHE STRING "What the time limits of tests are multiplied with, under tools that slow them down")

define_property(TARGET PROPERTY USMPD_USES
    BRIEF_DOCS "Rooms that a room named in USES")

# Subfolders may be missing in a partial checkout or a source package of libusmp alone.
function(usmpd_add_subdirectory folder)
    if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt")
        add_subdirectory(${folder})
    endif()
endfunction()

function(usmpd_room_include_directory room result)
    set(folder "${CMAKE_BINARY_DIR}/rooms/${room}")
    file(MAKE_DIRECTORY "${folder}")
    file(CREATE_LINK "${PROJECT_SOURCE_DIR}/src/${room}" "${folder}/${room}" SYMBOLIC)
    set(${result} "${folder}" PARENT_SCOPE)
endfunction()

# INSIDE: also the headers that a room keeps to itself.
function(usmpd_use_rooms target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "INSIDE" "" "ROOMS")
    foreach(room IN LISTS arg_ROOMS)
        if(NOT EXISTS "${PROJECT_SOURCE_DIR}/src/${room}")
            message(FATAL_ERROR "${target} uses the room ${room}: there is no src/${room}")
        endif()
        if(room STREQUAL "proto")
            target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/include")
        endif()
        if(NOT room STREQUAL "proto" OR arg_INSIDE)
            usmpd_room_include_directory(${room} include_directory)
            target_include_directories(${target} PRIVATE "${include_directory}")
        endif()
        target_link_libraries(${target} PRIVATE room_${room})
        set_property(GLOBAL APPEND PROPERTY USMPD_USED "${target} ${room}")
    endforeach()
endfunction()

# usmpd_room(NAME SOURCES file… [USES room…] [LIBRARIES target…])
function(usmpd_room name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES;LIBRARIES")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "usmpd_room(${name}): what is ${arg_UNPARSED_ARGUMENTS}?")
    endif()
    add_library(room_${name} STATIC ${arg_SOURCES})
    usmpd_room_include_directory(${name} include_directory)
    target_include_directories(room_${name} PRIVATE "${include_directory}")
    if(name STREQUAL "proto")
        set_target_properties(room_${name} PROPERTIES OUTPUT_NAME usmp)
        target_include_directories(room_${name} PRIVATE "${PROJECT_SOURCE_DIR}/include")
    endif()
    set_target_properties(room_${name} PROPERTIES USMPD_USES "${arg_USES}")
    usmpd_use_rooms(room_${name} ROOMS ${arg_USES})
    target_link_libraries(room_${name} PRIVATE ${arg_LIBRARIES})
endfunction()

# usmpd_program(NAME SOURCES file… [USES room…] [LIBRARIES target…]): bin/NAME, with "usmpd_version.h" at hand.
function(usmpd_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES;LIBRARIES")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "usmpd_program(${name}): what is ${arg_UNPARSED_ARGUMENTS}?")
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_include_directories(${name} PRIVATE "${CMAKE_BINARY_DIR}/generated")
    if(EXISTS "${PROJECT_SOURCE_DIR}/src/${name}")
        usmpd_room_include_directory(${name} include_directory)
        target_include_directories(${name} PRIVATE "${include_directory}")
    endif()
    set_target_properties(${name} PROPERTIES USMPD_USES "${arg_USES}")
    usmpd_use_rooms(${name} ROOMS ${arg_USES})
    target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
endfunction()

# usmpd_test(NAME SOURCES file… [USES room…] [LIBRARIES target…] [DEFINES definition…] [WRAP symbol…]
#            [NAME ctest-name] [TIMEOUT seconds])
# The target is test_NAME; ctest calls it NAME with the first _ as a dot. USMPD_TEST_DATA_DIR is tests/data; headers
# that tests share are included with their path under tests/.
function(usmpd_test name)
    if(NOT BUILD_TESTING)
        return()
    endif()
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAME;TIMEOUT" "SOURCES;USES;LIBRARIES;DEFINES;WRAP")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "usmpd_test(${name}): what is ${arg_UNPARSED_ARGUMENTS}?")
    endif()
    if(NOT arg_NAME)
        string(REGEX MATCH "^([^_]+)_(.+)$" matched "${name}")
        set(arg_NAME "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}")
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * ${USMPD_TEST_PATIENCE}")
    add_executable(test_${name} ${arg_SOURCES})
    set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
    target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
    # The compiler cannot know that cmocka's assert_non_null() does not return.
    target_compile_options(test_${name} PRIVATE -Wno-null-dereference)
    target_compile_definitions(test_${name} PRIVATE
        USMPD_TEST_DATA_DIR="${PROJECT_SOURCE_DIR}/tests/data" ${arg_DEFINES})
    usmpd_use_rooms(test_${name} INSIDE ROOMS ${arg_USES})
    target_link_libraries(test_${name} PRIVATE ${arg_LIBRARIES} PkgConfig::CMOCKA)
    foreach(symbol IN LISTS arg_WRAP)
        target_link_options(test_${name} PRIVATE "LINKER:--wrap=${symbol}")
    endforeach()
    add_test(NAME ${arg_NAME} COMMAND test_${name})
    set_tests_properties(${arg_NAME} PROPERTIES TIMEOUT ${arg_TIMEOUT})
endfunction()

# usmpd_fuzz(NAME SOURCES file… [USES room…] [LIBRARIES target…]): bin/fuzz_NAME around LLVMFuzzerTestOneInput.
# With USMPD_FUZZING (clang) libFuzzer drives it; otherwise it runs the files that it is given, and ctest gives it
# fuzz/corpus/NAME as fuzz.NAME.
function(usmpd_fuzz name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES;LIBRARIES")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "usmpd_fuzz(${name}): what is ${arg_UNPARSED_ARGUMENTS}?")
    endif()
    if(NOT BUILD_TESTING AND NOT USMPD_FUZZING)
        return()
    endif()
    add_executable(fuzz_${name} ${arg_SOURCES})
    usmpd_use_rooms(fuzz_${name} INSIDE ROOMS ${arg_USES})
    target_link_libraries(fuzz_${name} PRIVATE ${arg_LIBRARIES})
    if(USMPD_FUZZING)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        return()
    endif()
    target_sources(fuzz_${name} PRIVATE "${PROJECT_SOURCE_DIR}/fuzz/replay_corpus.c")
    add_test(NAME fuzz.${name} COMMAND fuzz_${name} "${PROJECT_SOURCE_DIR}/fuzz/corpus/${name}")
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 300)
endfunction()

# usmpd_fuzz_steps(NAME): the target's inputs are made of steps (fuzz/steps.h), and libFuzzer mutates them as such.
function(usmpd_fuzz_steps name)
    if(TARGET fuzz_${name})
        target_include_directories(fuzz_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests" "${PROJECT_SOURCE_DIR}/fuzz")
        if(USMPD_FUZZING)
            target_sources(fuzz_${name} PRIVATE "${PROJECT_SOURCE_DIR}/fuzz/step_mutator.c")
        endif()
    endif()
endfunction()

# Called at the end: a room that is named, but not built, is a mistake to hear of before the linker's riddle.
function(usmpd_check_rooms)
    get_property(pairs GLOBAL PROPERTY USMPD_USED)
    foreach(pair IN LISTS pairs)
        separate_arguments(pair)
        list(GET pair 0 target)
        list(GET pair 1 room)
        if(NOT TARGET room_${room})
            message(FATAL_ERROR "${target} uses the room ${room}, which has no src/${room}/CMakeLists.txt")
        endif()
    endforeach()
endfunction()
