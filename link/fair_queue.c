/* SPDX-License-Identifier: MIT */
#include "link/fair_queue.h"

#define SMALL_IN_ROW_MAX 8 /* while large pieces wait: many small ones take time, too */

/* The turn that counts for @turn's owner: its own, or its network's. */
static struct turn *taker(struct turn *turn)
{
        return turn->is_known || !turn->network ? turn : turn->network;
}

static void count_queued(struct fair_queue *queue, const struct piece *piece, int count)
{
        struct turn *turn = piece->turn;

        queue->queued += (size_t)count;
        queue->known += turn->is_known ? (size_t)count : 0;
        turn->queued += (size_t)count;
        if (taker(turn) != turn)
                turn->network->queued += (size_t)count;
}

void fair_queue_init(struct fair_queue *queue)
{
        *queue = (struct fair_queue){ 0 };
        list_init(&queue->small);
        list_init(&queue->large);
}

void fair_queue_put(struct fair_queue *queue, struct piece *piece, struct turn *turn, bool is_small)
{
        piece->turn = turn;
        piece->is_small = is_small;
        queue->came++;
        if (piece->came == 0)
                piece->came = queue->came;
        if (taker(turn)->last[is_small] == 0)
                taker(turn)->last[is_small] = ++queue->turns;
        count_queued(queue, piece, 1);
        list_append(is_small ? &queue->small : &queue->large, &piece->link);
}

static struct piece *remove_piece(struct fair_queue *queue, struct piece *piece)
{
        list_remove(&piece->link);
        count_queued(queue, piece, -1);
        return piece;
}

/* ---- the next one ---- */

static bool comes_before(const struct piece *piece, const struct piece *other)
{
        bool is_small = piece->is_small;
        uint64_t last = taker(piece->turn)->last[is_small];
        uint64_t other_last = taker(other->turn)->last[is_small];

        if (last != other_last)
                return last < other_last;
        last = piece->turn->last[is_small];
        other_last = other->turn->last[is_small];
        if (last != other_last)
                return last < other_last;
        return piece->came > other->came;
}

static void take_turn(struct fair_queue *queue, const struct piece *piece)
{
        queue->small_in_row = piece->is_small ? queue->small_in_row + 1 : 0;
        piece->turn->last[piece->is_small] = ++queue->turns;
        taker(piece->turn)->last[piece->is_small] = queue->turns;
}

/* The newest piece of the owner whose last turn was longest ago. */
struct piece *fair_queue_take(struct fair_queue *queue)
{
        bool is_large = !list_is_empty(&queue->large) &&
                        (list_is_empty(&queue->small) || queue->small_in_row >= SMALL_IN_ROW_MAX);
        const struct list *list = is_large ? &queue->large : &queue->small;
        struct piece *next = NULL;

        for (struct list *link = list->next; link != list; link = link->next) {
                struct piece *piece = CONTAINER_OF(link, struct piece, link);

                if (!next || comes_before(piece, next))
                        next = piece;
        }
        take_turn(queue, next);
        return remove_piece(queue, next);
}

/* ---- the one to be given up ---- */

static bool has_more(const struct piece *piece, const struct piece *other)
{
        size_t queued = taker(piece->turn)->queued, other_queued = taker(other->turn)->queued;

        if (queued != other_queued)
                return queued > other_queued;
        if (piece->is_small != other->is_small)
                return other->is_small;
        if (piece->turn->queued != other->turn->queued)
                return piece->turn->queued > other->turn->queued;
        return piece->came < other->came;
}

/* Of the owners that are @known, or not: the one that has the most loses its oldest. @last: of those seen so far. */
static struct piece *last_of(const struct list *list, bool known, struct piece *last)
{
        for (struct list *link = list->next; link != list; link = link->next) {
                struct piece *piece = CONTAINER_OF(link, struct piece, link);

                if (piece->turn->is_known == known && (!last || has_more(piece, last)))
                        last = piece;
        }
        return last;
}

struct piece *fair_queue_give_up(struct fair_queue *queue)
{
        bool known = queue->known > queue->queued - queue->known;

        return remove_piece(
                queue, last_of(&queue->small, known, last_of(&queue->large, known, NULL)));
}

void fair_queue_know(struct fair_queue *queue, struct turn *turn)
{
        if (turn->is_known)
                return;
        if (turn->network) /* from here on its pieces count for itself */
                turn->network->queued -= turn->queued;
        queue->known += turn->queued;
        turn->is_known = true;
}
