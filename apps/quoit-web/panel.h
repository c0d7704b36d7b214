/* SPDX-License-Identifier: MIT */
#pragma once

#include "web.quoit.h"

/* The page's live panel. Its `user` is a struct backend. */
extern const web_Panel_service panel_service;
