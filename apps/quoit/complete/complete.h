/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * `quoit __complete WORD...`, which the scripts of bash, zsh and fish call: prints what the last WORD may become, one candidate a line,
 * with a tab and a few words about it where there is something to say. The other words are those between "quoit" and it.
 *
 * `quoit __complete --bash CURRENT LINE`: the same, for bash, which splits words in its own way: LINE is the whole line up to the cursor,
 * and CURRENT what bash would replace.
 *
 * An exit status. Nothing is wrong with a line that cannot be completed.
 */
int complete(int argc, char **argv);
