package cli_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/mailbox"
	"github.com/hallpass-go/hallpass/internal/needs"
)

// TestDoctorOnPostgreSQLWithAMailServer: real ones, whose passwords are nowhere said.
func TestDoctorOnPostgreSQLWithAMailServer(t *testing.T) {
	t.Parallel()
	dsn := needs.Postgres(t)
	app := httptest.NewServer(http.NotFoundHandler())
	defer app.Close()
	box := mailbox.Start(t, &mailbox.Options{Username: "door", Password: "sesame", InsecureAuth: true})
	env := []string{
		"HALLPASS_STORE=" + dsn, "HALLPASS_MASTER_KEY=a master key that only this test suite uses", "HALLPASS_ADDR=localhost:0", "HALLPASS_UPSTREAM=" + app.URL,
		"HALLPASS_MAIL=smtp://door:sesame@127.0.0.1:" + strconv.Itoa(box.Port) + "?from=door@example.com&tls=none", "HALLPASS_LOGIN_ALLOW=*@example.com",
	}
	said := func(code int, want ...string) {
		t.Helper()
		stdout, stderr := runIn(t, env, code, "doctor")
		for _, text := range want {
			if !strings.Contains(strings.Join(strings.Fields(stdout), " "), text) {
				t.Errorf("%q is not in\n%s%s", text, stdout, stderr)
			}
		}
	}
	said(3, "store fault the database has no hallpass tables", `hallpass migrate`, "mail ok would be taken; none was sent", "upstream ok")
	runIn(t, env, 0, "migrate")
	said(0, "store ok postgres PostgreSQL at 127.0.0.1:", "keys warning there are none yet")
	runIn(t, env, 0, "issue", "--scope", "report")
	said(0, "keys ok", "seals ok nothing is sealed yet")
	app.Close()
	said(1, "upstream fault", "keys ok")
}

func TestDoctorOnRedis(t *testing.T) {
	t.Parallel()
	dsn := needs.Redis(t)
	env := []string{"HALLPASS_STORE=" + dsn, "HALLPASS_MASTER_KEY=a master key that only this test suite uses", "HALLPASS_ADDR=localhost:0"}
	if stdout, _ := runIn(t, env, 2, "doctor"); !strings.Contains(stdout, "never the only place of a signing key") {
		t.Errorf("without keys in a file: %s", stdout)
	}
}
