package e2e_test

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// buffer is what a process writes, readable while it does.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// line returns the first line, once it is whole.
func (b *buffer) line() (string, bool) {
	line, _, whole := strings.Cut(b.String(), "\n")
	return line, whole
}

// rest returns what follows the first line.
func (b *buffer) rest() string {
	_, rest, _ := strings.Cut(b.String(), "\n")
	return rest
}

// said is everything the processes of this run wrote where no token belongs, and
// every token they were shown. A token is the result of issue, and of the one
// line with which the demo begins; anywhere else it is a leak.
var said = record{tokens: map[string]bool{}}

type record struct {
	mu      sync.Mutex
	outputs []output
	tokens  map[string]bool
}

type output struct {
	name string
	text func() string
}

// watch has an output searched at the end.
func (r *record) watch(name string, text func() string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outputs = append(r.outputs, output{name, text})
}

// secret notes a token, or a link with one, and returns the token.
func (r *record) secret(link string) string {
	token := link
	if u, err := url.Parse(link); err == nil && u.Query().Get("rt") != "" {
		token = u.Query().Get("rt")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, part := range secretParts(token) {
		r.tokens[part] = true
	}
	return token
}

// secretParts are the texts that give a token away: each half that is not the
// same in every token, or the whole where it has no dots.
func secretParts(token string) []string {
	parts := strings.Split(token, ".")
	if len(parts) == 3 {
		parts = parts[1:]
	}
	var long []string
	for _, part := range parts {
		if len(part) >= 16 {
			long = append(long, part)
		}
	}
	return long
}

var (
	words = regexp.MustCompile(`[A-Za-z0-9_-]{16,}`)
	// encoded is how base64 of a JSON object begins: a header or a payload, cut
	// off or whole.
	encoded = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}`)
)

// leaks names the outputs with a token in them, without repeating it.
func (r *record) leaks() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []string
	for _, o := range r.outputs {
		if where := r.leak(o.text()); where != "" {
			found = append(found, o.name+": "+where)
		}
	}
	return found
}

func (r *record) leak(text string) string {
	for i, line := range strings.Split(text, "\n") {
		if at := encoded.FindStringIndex(line); at != nil {
			return fmt.Sprintf("line %d, behind %q", i+1, line[:at[0]])
		}
		for _, at := range words.FindAllStringIndex(line, -1) {
			if r.tokens[line[at[0]:at[1]]] {
				return fmt.Sprintf("line %d, behind %q", i+1, line[:at[0]])
			}
		}
	}
	return ""
}
