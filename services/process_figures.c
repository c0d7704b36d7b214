/* SPDX-License-Identifier: MIT */
#include "services/process_figures.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The text of a small file in /proc. False: it cannot be read. */
static bool read_text(const char *path, char *text, size_t size)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t got = fd >= 0 ? read(fd, text, size - 1) : -1;

        if (fd >= 0)
                close(fd);
        text[got > 0 ? got : 0] = '\0';
        return got > 0;
}

static double seconds_of(struct timeval time)
{
        return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void read_cpu(struct process_figures *figures)
{
        struct rusage usage;

        if (getrusage(RUSAGE_SELF, &usage) == 0)
                figures->cpu_s = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

/* When the machine was booted; its line is behind those of all processors and interrupts. 0: not known. */
static uint64_t boot_unix_s(void)
{
        FILE *file = fopen("/proc/stat", "re");
        uint64_t found = 0;
        char *line = NULL;
        size_t size = 0;

        while (file && found == 0 && getline(&line, &size, file) > 0)
                (void)sscanf(line, "btime %" SCNu64, &found);
        free(line);
        if (file)
                fclose(file);
        return found;
}

/* proc_pid_stat(5): the fields behind the name, which may have any character, also ')'. */
static void read_stat(struct process_figures *figures)
{
        uint64_t started_ticks = 0, virtual_bytes = 0, resident_pages = 0, boot_s;
        char text[1024];
        const char *rest;

        if (!read_text("/proc/self/stat", text, sizeof(text)))
                return;
        rest = strrchr(text, ')');
        if (!rest || sscanf(rest + 1,
                             " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                             "%*d %*d %" SCNu64 " %" SCNu64 " %" SCNu64,
                             &started_ticks, &virtual_bytes, &resident_pages) != 3)
                return;
        figures->virtual_bytes = virtual_bytes;
        figures->resident_bytes = resident_pages * (uint64_t)sysconf(_SC_PAGESIZE);
        boot_s = boot_unix_s();
        if (boot_s > 0)
                figures->started_unix_s =
                        (double)boot_s + (double)started_ticks / (double)sysconf(_SC_CLK_TCK);
}

static uint64_t count_entries(const char *path)
{
        DIR *folder = opendir(path);
        const struct dirent *entry;
        uint64_t count = 0;

        while (folder && (entry = readdir(folder)))
                count += entry->d_name[0] != '.';
        if (folder)
                closedir(folder);
        return count > 0 ? count - 1 : 0; /* its own is one of them */
}

static void read_descriptors(struct process_figures *figures)
{
        struct rlimit limit;
        struct stat status;

        /* Linux has the number there since 6.2 */
        if (stat("/proc/self/fd", &status) == 0 && status.st_size > 0)
                figures->descriptors = (uint64_t)status.st_size;
        else
                figures->descriptors = count_entries("/proc/self/fd");
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
                figures->descriptors_max = limit.rlim_cur;
}

void process_read(struct process_figures *ret_figures)
{
        *ret_figures = (struct process_figures){ 0 };
        read_cpu(ret_figures);
        read_stat(ret_figures);
        read_descriptors(ret_figures);
}
