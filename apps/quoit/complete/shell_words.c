/* SPDX-License-Identifier: MIT */
#include "shell_words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * One word from @text on into @word, which has room for all of it, without its quotes. Returns where it ends.
 */
static const char *take_word(const char *text, char *word, bool *ret_is_open)
{
        char quote = '\0';

        for (; *text && (quote || !strchr(" \t\n", *text)); text++) {
                if (quote ? *text == quote : *text == '\'' || *text == '"') {
                        quote = quote ? '\0' : *text;
                        continue;
                }
                /* Between double quotes it is itself before most characters. */
                if (*text == '\\' && quote != '\'' && text[1] &&
                        (!quote || strchr("\"\\$`", text[1])))
                        text++;
                *word++ = *text;
        }
        *word = '\0';
        *ret_is_open = quote != '\0';
        return text;
}

int shell_words_split(struct shell_words *ret_words, const char *line)
{
        struct shell_words words = { 0 };

        for (;;) {
                char *word;

                line += strspn(line, " \t\n");
                if (words.count == SHELL_WORDS_MAX) {
                        shell_words_deinit(&words);
                        return -E2BIG;
                }
                word = malloc(strlen(line) + 1);
                if (!word) {
                        shell_words_deinit(&words);
                        return -ENOMEM;
                }
                words.at[words.count++] = word;
                line = take_word(line, word, &words.is_open);
                if (!*line)
                        break;
        }
        *ret_words = words;
        return 0;
}

void shell_words_deinit(struct shell_words *words)
{
        for (int i = 0; i < words->count; i++)
                free(words->at[i]);
        words->count = 0;
}
