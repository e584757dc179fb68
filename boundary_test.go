package hallpass_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hallpass-go/hallpass"

// mayImport says which of our own packages each package may link, directly or
// through others ("" is the root). A package that is not listed may not exist:
// adding one means deciding where it stands.
var mayImport = map[string][]string{
	"internal/strictjson": {},
	"internal/passjwt":    {"internal/strictjson"},
	"internal/keytext":    {"internal/strictjson"},
	"internal/clientip":   {},
	"internal/group":      {},

	"": {"internal/strictjson", "internal/passjwt", "internal/keytext"},

	"internal/look":         {""},
	"internal/interstitial": {"", "internal/look"},
	"guard":                 {"", "internal/strictjson", "internal/clientip", "internal/look", "internal/interstitial"},

	"django": {""},

	// The drivers are here, so that users of django need not link them.
	"internal/djangoimport": {"", "django", "internal/strictjson"},

	"memstore":    {""},
	"sqlitestore": {"", "internal/group"},
	"redisstore":  {""},
	"pgstore":     {"", "internal/group"},
	"storetest":   {""},

	"internal/wire":      {""},
	"internal/bulk":      {"", "internal/wire"},
	"internal/rights":    {""},
	"internal/find":      {""},
	"internal/api":       {"", "internal/wire", "internal/rights"},
	"hallpassclient":     {"", "internal/wire"},
	"keystore":           {""},
	"internal/openstore": {"", "memstore", "sqlitestore", "pgstore", "redisstore", "internal/group"},
	"internal/sessions":  {"", "mail"},
	"internal/adminui": {
		"", "guard", "mail", "internal/strictjson", "internal/clientip", "internal/look", "internal/interstitial",
		"internal/wire", "internal/sessions", "internal/rights", "internal/find", "internal/bulk", "keystore",
	},
	"internal/demo": {
		"", "guard", "mail", "login", "internal/strictjson", "internal/clientip", "internal/look", "internal/interstitial",
		"internal/wire", "internal/sessions", "internal/rights", "internal/find", "internal/bulk", "internal/adminui", "keystore",
	},
	"internal/gate": {
		"", "guard", "mail", "internal/strictjson", "internal/clientip", "internal/look", "internal/interstitial", "internal/wire", "internal/sessions",
	},
	"internal/server": {
		"", "guard", "mail", "login", "internal/strictjson", "internal/clientip", "internal/look", "internal/interstitial",
		"internal/wire", "keystore", "internal/gate", "internal/api", "internal/sessions", "internal/rights", "internal/find", "internal/bulk", "internal/adminui",
	},
	"internal/mailbox": {},
	"mail":             {""},
	"hallpasstest":     {"", "memstore", "mail"},
	"login":            {"", "mail", "internal/strictjson", "internal/clientip", "internal/look", "internal/wire"},

	"internal/needs": {},
	"internal/cli": {
		"", "guard", "memstore", "sqlitestore", "pgstore", "redisstore", "internal/group", "internal/strictjson", "internal/clientip", "internal/look", "internal/interstitial",
		"internal/wire", "keystore", "internal/openstore", "internal/demo", "internal/keytext",
		"internal/gate", "internal/api", "internal/server", "internal/sessions", "internal/rights", "internal/find", "internal/bulk", "internal/adminui",
		"mail", "login", "django", "internal/djangoimport",
	},
	"cmd/hallpass": {"internal/cli"}, // and, through it alone, whatever that may link

	"examples/scs": {"", "guard", "memstore", "internal/strictjson", "internal/clientip", "internal/look", "internal/interstitial"},
	"examples/login": {
		"", "keystore", "login", "mail", "memstore", "internal/strictjson", "internal/clientip", "internal/look", "internal/wire",
	},
	"e2e":          {},
	"e2e/proxies":  {},
	"bench/shards": {"", "memstore", "sqlitestore", "internal/group"},
	"bench":        {"", "guard", "memstore", "sqlitestore", "internal/group", "internal/strictjson", "internal/clientip", "internal/look", "internal/interstitial"},
}

// belowRoot is what every user of the root links.
var belowRoot = []string{"internal/strictjson", "internal/passjwt", "internal/keytext"}

// modulesOf says which foreign modules a library user links with a package; the
// commands may link more.
var modulesOf = map[string][]string{
	"":             {"github.com/go-jose/go-jose/v4", "golang.org/x/crypto", "golang.org/x/sys"},
	"guard":        {"github.com/go-jose/go-jose/v4", "golang.org/x/crypto", "golang.org/x/sys"},
	"django":       {"github.com/go-jose/go-jose/v4", "golang.org/x/crypto", "golang.org/x/sys"},
	"memstore":     {"github.com/go-jose/go-jose/v4", "golang.org/x/crypto", "golang.org/x/sys"},
	"mail":         {"github.com/go-jose/go-jose/v4", "golang.org/x/crypto", "golang.org/x/sys", "golang.org/x/net", "golang.org/x/text"},
	"hallpasstest": {"github.com/go-jose/go-jose/v4", "golang.org/x/crypto", "golang.org/x/sys", "golang.org/x/net", "golang.org/x/text"},
	"sqlitestore":  nil, // has a driver; see docs/dependencies.md
	"pgstore":      nil,
	"redisstore":   nil, // the same
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestWhoMayImportWhom(t *testing.T) {
	t.Parallel()
	for _, line := range goList(t, "-f", "{{.ImportPath}} {{join .Deps \" \"}}", "./...") {
		fields := strings.Fields(line)
		name := ours(fields[0])
		allowed, listed := mayImport[name]
		if !listed {
			t.Errorf("%s stands nowhere in the layout; give it a place in mayImport", fields[0])
			continue
		}
		if name == "cmd/hallpass" {
			continue // judged by its direct imports below
		}
		if slices.Contains(allowed, "") {
			allowed = append(slices.Clone(allowed), belowRoot...)
		}
		for _, dep := range fields[1:] {
			if strings.HasPrefix(dep, module) && !slices.Contains(allowed, ours(dep)) {
				t.Errorf("%s may not link %s", fields[0], dep)
			}
		}
	}
	for _, dep := range strings.Fields(goList(t, "-f", "{{join .Imports \" \"}}", "./cmd/hallpass")[0]) {
		if strings.HasPrefix(dep, module) && ours(dep) != "internal/cli" {
			t.Errorf("cmd/hallpass may import internal/cli alone, not %s", dep)
		}
	}
}

func TestLibraryUsersLinkLittle(t *testing.T) {
	t.Parallel()
	for name, allowed := range modulesOf {
		if allowed == nil {
			continue
		}
		for _, path := range goList(t, "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./"+name) {
			if path != "" && path != module && !slices.Contains(allowed, path) {
				t.Errorf("package %q links the module %s", name, path)
			}
		}
	}
}

func ours(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
}
