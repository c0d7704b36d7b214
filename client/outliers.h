/* SPDX-License-Identifier: MIT */
#pragma once

/* Outlier detection of a channel (outlier.h): what becomes of its calls is counted, and looked at while there are calls. */

#include <quoit/status.h>

struct channel;
struct quoit_outcall;
struct subchannel;

/* A call begins. */
void outliers_on_call(struct channel *channel);

/* @call is over on @subchannel. */
void outliers_on_over(
        struct subchannel *subchannel, const struct quoit_outcall *call, quoit_status status);

/* All is forgotten. */
void outliers_rest(struct channel *channel);
