/* SPDX-License-Identifier: MIT */
#pragma once

/* The targets that were used before, the last one first. */

#include "../nearest.h"
#include "offers.h"

/*
 * Notes a target that somebody at a terminal has connected to; what scripts do is not noted. What fails is not worth a word.
 */
void targets_note(const char *target);

void targets_offer(struct offers *offers);

/* Tries each of them. */
void targets_try(struct nearest *nearest);
