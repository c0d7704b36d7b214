// SPDX-License-Identifier: MIT

// Prints the seccomp profile that Docker gives to containers.
package main

import (
	"encoding/json"
	"os"

	"github.com/moby/profiles/seccomp"
)

func main() {
	if err := json.NewEncoder(os.Stdout).Encode(seccomp.DefaultProfile()); err != nil {
		panic(err)
	}
}
