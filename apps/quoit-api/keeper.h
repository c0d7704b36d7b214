/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whoever has started a process may wait for it, and take its end for the service's: tini, docker for the first process of a
 * container, a supervisor, a shell. Only systemd is told who the main process is. So all others keep the process that they
 * know: when a successor serves, it stays as the keeper of the service, hands on what it is sent, and ends as the service does.
 *
 * All successors in a row have one keeper. It is the parent of each: processes whose parent has ended are given to it. In
 * $QUOIT_API_KEEPER they are passed a socket (SOCK_SEQPACKET), over which it hears "M" and the pid of the one that serves from
 * now on, and which that one alone reads:
 *
 *      T               SIGTERM or SIGINT
 *      H               SIGHUP
 *      U PID           SIGUSR2, sent by PID
 *      end of file     the keeper was killed: so that there are no two of a service, stop
 */
#define KEEPER_VARIABLE "QUOIT_API_KEEPER"

/* ---- for who has one ---- */

/* Reads the environment, and takes the variable out of it. */
void keeper_meet(void);

/* Tells it that this process serves. Harmless without one, as all below. */
void keeper_tell_main(void);

/* To wait for what it says; -1: there is none, or not any more. */
int keeper_fd(void);

/* What it says, 'T' for its end too; 0: nothing. @ret_pid: U's. */
char keeper_read(pid_t *ret_pid);

/* A successor listens to it. */
void keeper_leave(void);

/* ---- to be one ---- */

/*
 * Before a successor is started: in *@ret_fd what it is to be passed, -1: nothing, as systemd is told of it. 0 or a negative
 * errno.
 */
int keeper_prepare(int *ret_fd);

/* After that: @pid has come and serves, 0: it has not. True: this process is its keeper from now on. */
bool keeper_settle(pid_t pid);

/* Hands @what on, U with @sender. From any thread. */
void keeper_pass_on(char what, pid_t sender);

/* To wait for news of the service's processes, -1: this is no keeper; and takes note of them. False: the main one has ended. */
int keeper_news_fd(void);
int keeper_main_fd(void);
bool keeper_take_news(void);

/* What is left to do when this process has served: hands on, and returns the service's exit status. Others: @status. */
int keeper_wait(int status);
