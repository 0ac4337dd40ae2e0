/*
 * path_beneath: whether a path below a folder can be walked without meeting a
 * symbolic link, a ".." or a magic link of /proc. In one go by openat2(2) with
 * RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS; where the kernel has none, or a
 * seccomp profile refuses it, component by component with O_NOFOLLOW.   [worker]
 */
#ifndef SERVICE_PATH_BENEATH_H
#define SERVICE_PATH_BENEATH_H

/* `root` is an absolute folder without links, `below` "" or "/a/b". 0, or a
 * negative errno: -ENOENT, -ENOTDIR, -ELOOP (a link), -EXDEV (a way out) … */
int path_beneath_check(const char *root, const char *below);

/* What is used without openat2(2); the same answers. */
int path_beneath_check_by_hand(const char *root, const char *below);

#endif
