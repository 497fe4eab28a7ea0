#ifndef PLATFORM_CORE_FILES_H
#define PLATFORM_CORE_FILES_H

/* No core file of this process and no other process of the same user that reads its memory (docs/security.md
 * rule 5). Called once, before the first secret is read. From then on /proc/self belongs to root, so a process of
 * another user cannot open /proc/self/fd/N or /dev/stderr. Returns 0, or a negative errno: then secrets must not be
 * loaded. */
int core_files_forbid(void) __attribute__((warn_unused_result));

#endif
