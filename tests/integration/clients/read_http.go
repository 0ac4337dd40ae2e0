// POSTs argument 2 to argument 1; says "complete BYTES", or "failed" and why.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	reply, err := http.Post(os.Args[1], "application/json", strings.NewReader(os.Args[2]))
	if err != nil {
		fmt.Println("failed", err)
		return
	}
	defer reply.Body.Close()
	bytes, err := io.Copy(io.Discard, reply.Body)
	if err != nil {
		fmt.Println("failed", err)
		return
	}
	fmt.Println("complete", bytes)
}
