/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * The parent of a process may wait for it and treat its end as the end of the service: tini, docker for the first process of a
 * container, a supervisor, a shell. Only systemd can be told of another main process. For all others the process that they know
 * stays: when a successor serves, it becomes the keeper of the service, forwards signals, and ends when and as the service
 * ends.
 *
 * All successors in a row have the same keeper. It is the parent of each: processes whose parent has ended are given to it.
 * They inherit a socket (SOCK_SEQPACKET) in $QUOIT_API_KEEPER. Over it the keeper gets "M" and the pid of the process that
 * serves from now on. Only that process reads from it:
 *
 *      T               SIGTERM or SIGINT
 *      H               SIGHUP
 *      U PID           SIGUSR2, sent by PID
 *      end of file     the keeper was killed: stop, so that there are never two of the service
 */
#define KEEPER_VARIABLE "QUOIT_API_KEEPER"

/* ---- for who has one ---- */

/* Reads the environment, and takes the variable out of it. */
void keeper_read_environment(void);

/* Reports to the keeper that this process serves. Without a keeper this function and those below do nothing. */
void keeper_tell_main(void);

/* The descriptor to poll for its messages; -1: there is no keeper, or no longer. */
int keeper_fd(void);

/* Reads its message, 'T' also when it has ended; 0: none. @ret_pid: the pid of 'U'. */
char keeper_read(pid_t *ret_pid);

/* A successor reads from it now. */
void keeper_leave(void);

/* ---- to be one ---- */

/*
 * Before a successor is started: *@ret_fd is the descriptor that it has to inherit; -1: none, as systemd manages the service. 0
 * or a negative errno.
 */
int keeper_prepare(int *ret_fd);

/* After that, if the start failed. */
void keeper_cancel(void);

/* After that, if @pid serves now. True: this process is its keeper from now on; false: none is needed. */
bool keeper_begin(pid_t pid);

/* Forwards @what; U with @sender. From any thread. */
void keeper_pass_on(char what, pid_t sender);

/*
 * The descriptor to poll for changes of the service's processes, -1: this is not a keeper; and the function that handles them.
 * False: the main one has ended.
 */
int keeper_news_fd(void);
int keeper_main_fd(void);
bool keeper_take_news(void);

/*
 * At the end of this process: a keeper forwards signals until the service ends, and returns its exit status. Others return
 * @status.
 */
int keeper_wait(int status);
