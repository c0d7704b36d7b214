/* SPDX-License-Identifier: MIT */
#include "link/complaints.h"

#include <stdlib.h>

struct complaint {
        struct complaint *next;
        const void *about;
        const char *what;
};

void complaints_init(struct complaints *complaints)
{
        complaints->first = NULL;
        pthread_mutex_init(&complaints->mutex, NULL);
}

void complaints_deinit(struct complaints *complaints)
{
        struct complaint *complaint;

        while ((complaint = complaints->first)) {
                complaints->first = complaint->next;
                free(complaint);
        }
        pthread_mutex_destroy(&complaints->mutex);
}

static bool is_known(const struct complaints *complaints, const void *about, const char *what)
{
        const struct complaint *complaint = complaints->first;

        while (complaint && (complaint->about != about || complaint->what != what))
                complaint = complaint->next;
        return complaint;
}

bool complaints_add(struct complaints *complaints, const void *about, const char *what)
{
        struct complaint *complaint = NULL;

        pthread_mutex_lock(&complaints->mutex);
        if (!is_known(complaints, about, what))
                complaint = malloc(sizeof(*complaint));
        if (complaint) {
                *complaint = (struct complaint){
                        .next = complaints->first, .about = about, .what = what
                };
                complaints->first = complaint;
        }
        pthread_mutex_unlock(&complaints->mutex);
        return complaint;
}
