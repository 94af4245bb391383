/*
 * A disk that forgets what was not flushed. Preloaded into a server, it mirrors into DISK_SAVED what fsync, fdatasync
 * and O_DSYNC writes below DISK_ROOT have made durable, and nothing else; after a kill of the whole server that mirror
 * is what a power loss would have left at worst.
 *
 *   saved/root         key of DISK_ROOT
 *   saved/files/<key>  a file's bytes as of its last flush
 *   saved/dirs/<key>   a directory's names as of its last flush: "<key> <d|f> <name>" lines
 *
 * A key is inode and birth, so that a renamed file stays itself and a reused inode does not. As on ext4 and XFS, the
 * first flush of a new file keeps the name that it was made under; a rename or removal lasts once its directory is flushed.
 * The real flush is left out: no power is lost in a test. With DISK_LIES nothing is kept of it either.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define BLOCK 65536
#define PAGE 4096
#define KEY_MAX 64
#define LINE_MAX_BYTES (KEY_MAX + NAME_MAX + 8)
#define SAVED_MAX (PATH_MAX - 160)

static char root[PATH_MAX];
static size_t rootLength;
static char saved[SAVED_MAX];
static int lies;

__attribute__((constructor)) static void begin(void) {
  const char *from = getenv("DISK_ROOT"), *to = getenv("DISK_SAVED");
  if (!from || !to || strlen(to) >= SAVED_MAX || !realpath(from, root)) return;
  rootLength = strlen(root);
  strcpy(saved, to);
  lies = getenv("DISK_LIES") != NULL;
}

/* A server must not go on as if it had flushed: the test would blame it for what this file lost. */
static void fail(const char *what) {
  fprintf(stderr, "volatile disk: %s: %s\n", what, strerror(errno));
  abort();
}

static int keyOf(int at, const char *path, char key[KEY_MAX], mode_t *mode) {
  struct statx st;
  int flags = AT_SYMLINK_NOFOLLOW | (*path ? 0 : AT_EMPTY_PATH);
  if (statx(at, path, flags, STATX_INO | STATX_TYPE | STATX_BTIME, &st)) return -1;
  if (!(st.stx_mask & STATX_BTIME)) {
    errno = ENOTSUP;
    fail("this file system knows no birth times");
  }
  snprintf(key, KEY_MAX, "%llu-%lld%09u", (unsigned long long)st.stx_ino,
           (long long)st.stx_btime.tv_sec, st.stx_btime.tv_nsec);
  *mode = st.stx_mode;
  return 0;
}

static int lockNames(void) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/lock", saved);
  int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0 || flock(lock, LOCK_EX)) fail("lock");
  return lock;
}

/* Appears as a whole or not at all, since a kill may come between any two instructions. */
static FILE *beginNames(char temporary[PATH_MAX]) {
  snprintf(temporary, PATH_MAX, "%s/names.%d", saved, getpid());
  FILE *names = fopen(temporary, "we");
  if (!names) fail("names");
  return names;
}

static void endNames(FILE *names, const char *temporary, const char *key) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/dirs/%s", saved, key);
  if (fclose(names) || rename(temporary, path)) fail("names");
}

/* The name lasts, and the names of all directories above it. */
static void keepName(const char *path, const char *key, char type) {
  if (strlen(path) <= rootLength) return;
  char parent[PATH_MAX], parentKey[KEY_MAX], listed[PATH_MAX], line[LINE_MAX_BYTES];
  mode_t mode;
  snprintf(parent, sizeof parent, "%s", path);
  char *slash = strrchr(parent, '/');
  const char *name = slash + 1;
  *slash = 0;
  if (keyOf(AT_FDCWD, parent, parentKey, &mode)) return; /* removed meanwhile */
  snprintf(listed, sizeof listed, "%s/dirs/%s", saved, parentKey);

  FILE *before = fopen(listed, "re");
  int known = 0;
  while (!known && before && fgets(line, sizeof line, before))
    known = !strncmp(line, key, strlen(key)) && line[strlen(key)] == ' ';
  if (known) {
    fclose(before);
    return;
  }
  char temporary[PATH_MAX];
  FILE *names = beginNames(temporary);
  if (before) {
    rewind(before);
    while (fgets(line, sizeof line, before)) {
      char *other = strchr(line, ' ');
      if (other && strncmp(other + 3, name, strcspn(other + 3, "\n")) == 0 &&
          strlen(name) == strcspn(other + 3, "\n"))
        continue;
      fputs(line, names);
    }
    fclose(before);
  }
  fprintf(names, "%s %c %s\n", key, type, name);
  endNames(names, temporary, parentKey);
  keepName(parent, parentKey, 'd');
}

static void saveDirectory(const char *path, const char *key) {
  char entryKey[KEY_MAX], temporary[PATH_MAX];
  mode_t mode;
  int lock = lockNames();
  DIR *directory = opendir(path);
  if (directory) {
    FILE *names = beginNames(temporary);
    for (struct dirent *entry; (entry = readdir(directory));) {
      if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
      if (keyOf(dirfd(directory), entry->d_name, entryKey, &mode)) continue;
      if (S_ISREG(mode) || S_ISDIR(mode))
        fprintf(names, "%s %c %s\n", entryKey, S_ISDIR(mode) ? 'd' : 'f', entry->d_name);
    }
    closedir(directory);
    endNames(names, temporary, key);
    keepName(path, key, 'd');
  }
  close(lock);
}

static void saveFile(int fd, const char *path, const char *key) {
  static __thread char now[BLOCK], then[BLOCK];
  static ssize_t (*write)(int, const void *, size_t, off_t);
  char self[64], copy[PATH_MAX];
  struct stat st;
  if (!write) write = dlsym(RTLD_NEXT, "pwrite");
  snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
  int from = open(self, O_RDONLY | O_CLOEXEC);
  if (from < 0) fail(path);
  snprintf(copy, sizeof copy, "%s/files/%s", saved, key);
  int to = open(copy, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (to < 0 || flock(to, LOCK_EX) || fstat(from, &st) || ftruncate(to, st.st_size)) fail(copy);
  for (off_t at = 0; at < st.st_size; at += BLOCK) {
    ssize_t length = pread(from, now, BLOCK, at);
    if (length <= 0) break; /* truncated meanwhile */
    ssize_t old = pread(to, then, length, at);
    if (old < 0) fail(copy);
    memset(then + old, 0, length - old);
    for (ssize_t page = 0; page < length; page += PAGE) {
      size_t part = length - page < PAGE ? length - page : PAGE;
      if (!memcmp(now + page, then + page, part)) continue;
      if (write(to, now + page, part, at + page) != (ssize_t)part) fail(copy);
    }
  }
  close(to);
  close(from);
  int lock = lockNames();
  keepName(path, key, 'f');
  close(lock);
}

/* True when the descriptor lies on this disk, and is flushed then. */
static int flushed(int fd) {
  char self[64], path[PATH_MAX], key[KEY_MAX];
  mode_t mode;
  if (!rootLength) return 0;
  int before = errno;
  snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(self, path, sizeof path - 1);
  if (length < (ssize_t)rootLength) return 0;
  path[length] = 0;
  if (strncmp(path, root, rootLength) || (path[rootLength] && path[rootLength] != '/')) return 0;
  const char *removed = strstr(path, " (deleted)");
  if (lies || (removed && !removed[10])) return 1;
  if (keyOf(fd, "", key, &mode)) return 0;
  if (S_ISDIR(mode)) saveDirectory(path, key);
  else if (S_ISREG(mode)) saveFile(fd, path, key);
  errno = before;
  return 1;
}

#define REAL(name) \
  static __typeof__(name) *real; \
  if (!real) real = dlsym(RTLD_NEXT, #name)

int fsync(int fd) {
  REAL(fsync);
  return flushed(fd) ? 0 : real(fd);
}

int fdatasync(int fd) {
  REAL(fdatasync);
  return flushed(fd) ? 0 : real(fd);
}

int syncfs(int fd) {
  (void)fd;
  errno = ENOSYS;
  fail("syncfs is not modelled");
  return -1;
}

static ssize_t written(int fd, ssize_t length) {
  if (length > 0 && rootLength) {
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_DSYNC)) flushed(fd);
  }
  return length;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(write);
  return written(fd, real(fd, bytes, length));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(writev);
  return written(fd, real(fd, parts, count));
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  REAL(pwrite);
  return written(fd, real(fd, bytes, length, at));
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) {
  REAL(pwrite64);
  return written(fd, real(fd, bytes, length, at));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  REAL(pwritev);
  return written(fd, real(fd, parts, count, at));
}
