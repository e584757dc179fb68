package cli_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// syncedBuffer is a buffer that a running command writes and a test reads.
type syncedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncedBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncedBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// lineWriter sends the first text that is written.
type lineWriter chan string

func newLineWriter() (<-chan string, lineWriter) {
	c := make(lineWriter, 1)
	return c, c
}

func (c lineWriter) Write(p []byte) (int, error) {
	select {
	case c <- string(p):
	default:
	}
	return len(p), nil
}

// redeemOver redeems by the API and returns the refusal, empty where it was honoured.
func redeemOver(t *testing.T, url, caller, token string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"token": token, "scope": "report"})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/redeem", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+caller)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var verdict struct {
		Valid  bool
		Reason string
	}
	if err := json.NewDecoder(answer.Body).Decode(&verdict); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", answer.Status, err)
	}
	if !verdict.Valid && verdict.Reason == "" {
		return "invalid without a reason"
	}
	return verdict.Reason
}
