# Where Debian would put things. Configuration goes to /etc whatever the prefix is, since that is where usmpd looks by
# default; DESTDIR goes before everything.
#
# After an installation by hand: systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload
set(systemd_folder lib/systemd/system)

if(TARGET usmpd)
    install(TARGETS usmpd RUNTIME DESTINATION "${CMAKE_INSTALL_SBINDIR}")
endif()
if(TARGET usmp)
    install(TARGETS usmp RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

install(FILES systemd/usmpd.service DESTINATION ${systemd_folder})
# The prefix may be another one than at configuration (cmake --install --prefix), so the unit's paths follow here.
install(CODE "
    set(file \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${systemd_folder}/usmpd.service\")
    file(READ \"\${file}\" unit)
    string(REPLACE \"/usr/sbin/usmpd\" \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_SBINDIR}/usmpd\" unit \"\${unit}\")
    file(WRITE \"\${file}\" \"\${unit}\")")
install(FILES systemd/usmpd.sysusers DESTINATION lib/sysusers.d RENAME usmpd.conf)
install(FILES systemd/usmpd.tmpfiles DESTINATION lib/tmpfiles.d RENAME usmpd.conf)

install(FILES man/usmp.1 DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES man/usmpd.yaml.5 DESTINATION "${CMAKE_INSTALL_MANDIR}/man5")
install(FILES man/usmpd.8 DESTINATION "${CMAKE_INSTALL_MANDIR}/man8")

install(FILES README.md CHANGELOG.md SECURITY.md LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" OPTIONAL)
install(DIRECTORY docs/ DESTINATION "${CMAKE_INSTALL_DOCDIR}" OPTIONAL FILES_MATCHING PATTERN "*.md")
install(FILES conf/usmpd.yaml conf/devices.yaml DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples")

# An operator's files are never overwritten; the registry is not for others to read.
install(CODE "
    foreach(file IN ITEMS usmpd.yaml devices.yaml)
        if(EXISTS \"\$ENV{DESTDIR}/etc/usmpd/\${file}\")
            message(STATUS \"Kept: \$ENV{DESTDIR}/etc/usmpd/\${file}\")
        else()
            set(permissions OWNER_READ OWNER_WRITE GROUP_READ)
            if(file STREQUAL usmpd.yaml)
                list(APPEND permissions WORLD_READ)
            endif()
            file(INSTALL \"${PROJECT_SOURCE_DIR}/conf/\${file}\" DESTINATION \"/etc/usmpd\"
                PERMISSIONS \${permissions})
        endif()
    endforeach()")
