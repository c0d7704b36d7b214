/* SPDX-License-Identifier: MIT */
#include "gate.h"

void gate_init(struct gate *gate)
{
        *gate = (struct gate){ 0 };
        pthread_mutex_init(&gate->lock, NULL);
        pthread_cond_init(&gate->changed, NULL);
}

void gate_deinit(struct gate *gate)
{
        pthread_cond_destroy(&gate->changed);
        pthread_mutex_destroy(&gate->lock);
}

uint64_t gate_wait(struct gate *gate)
{
        uint64_t begin_ns;

        pthread_mutex_lock(&gate->lock);
        while (gate->begin_ns == 0 && !gate->is_off)
                pthread_cond_wait(&gate->changed, &gate->lock);
        begin_ns = gate->begin_ns;
        pthread_mutex_unlock(&gate->lock);
        return begin_ns;
}

void gate_open(struct gate *gate, uint64_t begin_ns)
{
        pthread_mutex_lock(&gate->lock);
        if (gate->begin_ns == 0 && !gate->is_off) {
                gate->begin_ns = begin_ns;
                gate->is_off = begin_ns == 0;
        }
        pthread_cond_broadcast(&gate->changed);
        pthread_mutex_unlock(&gate->lock);
}
