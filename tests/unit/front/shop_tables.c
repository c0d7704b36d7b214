/* SPDX-License-Identifier: MIT */
#include "shop.h"
#include "shop.quoit.h"

const quoit_file_descriptor *const shop_file = &shop_proto_quoit_file;
const quoit_service *const shop_service = &quoit_shop__Shop_service;
const upb_MiniTable *const shop_order_table = &quoit_shop__Order_msg_init;
