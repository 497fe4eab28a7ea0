usmpd_fuzz(frame SOURCES frame/fuzz_frame.c USES proto)
usmpd_fuzz(handshake SOURCES handshake/fuzz_handshake.c USES proto)
usmpd_fuzz(session SOURCES session/fuzz_session.c USES proto)

# usmpd_proto_fuzz(NAME): a target of libusmp that uses what targets and tests share.
function(usmpd_proto_fuzz name)
    usmpd_fuzz(${name} SOURCES ${name}/fuzz_${name}.c USES proto)
    if(TARGET fuzz_${name})
        target_include_directories(fuzz_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests" "${PROJECT_SOURCE_DIR}/fuzz")
    endif()
endfunction()
usmpd_proto_fuzz(cookie)
usmpd_proto_fuzz(device)
usmpd_proto_fuzz(utack)
