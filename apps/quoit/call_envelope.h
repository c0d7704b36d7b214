/* SPDX-License-Identifier: MIT */
#pragma once

/* The document of `quoit call --json`, which docs/quoit.md describes: one line, written as the call goes. */

#include "call_report.h"

/* Up to the list of messages. */
void envelope_begin(const struct report *report, const struct metadata *headers);

/* One of them, as JSON. */
void envelope_message(struct report *report, upb_StringView text);

/* What is behind them. */
void envelope_end(struct report *report, const struct outcome *outcome);
