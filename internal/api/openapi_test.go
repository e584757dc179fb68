package api_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hallpass-go/hallpass/internal/needs"
	"github.com/hallpass-go/hallpass/internal/wire"
)

type openAPI struct {
	OpenAPI    string
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Schemas map[string]struct {
			Properties map[string]json.RawMessage
			Required   []string
		}
	}
}

func (s *site) document(t *testing.T) (doc openAPI, text string) {
	t.Helper()
	text = s.call("GET", "/openapi.json", "", without("Authorization")).body
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	return doc, text
}

func TestTheDocumentKnowsEachEndpoint(t *testing.T) {
	t.Parallel()
	doc, _ := newSite(t).document(t)
	var got []string
	for path, methods := range doc.Paths {
		for method := range methods {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(got)
	want := []string{
		"GET /v1/batches/{batch}", "GET /v1/events", "GET /v1/passes", "GET /v1/passes/{id}", "GET /v1/passes/{id}/uses", "GET /v1/sessions", "GET /v1/uses",
		"PATCH /v1/passes/{id}",
		"POST /v1/introspect", "POST /v1/passes", "POST /v1/passes/bulk", "POST /v1/passes/{id}/revoke", "POST /v1/redeem", "POST /v1/revocations",
		"POST /v1/sessions/{id}/end", "POST /v1/settle", "POST /v1/verify",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Error(doc.OpenAPI)
	}
	var fields []string
	for name := range doc.Components.Schemas["IssueBody"].Properties {
		fields = append(fields, name)
	}
	slices.Sort(fields)
	read := wire.RequestFields()
	slices.Sort(read)
	if !slices.Equal(fields, read) {
		t.Errorf("the document has the fields %q, the program reads %q", fields, read)
	}
}

// The types of a client that is generated from the document must be those of the
// answers: a required member that is missing, or an unknown one, breaks it.
func TestAnswersAreAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	doc, _ := s.document(t)
	issued := s.call("POST", "/v1/passes", `{"scope":"a"}`)
	token := issued.text("token")
	for schema, got := range map[string]answer{
		"Issued":      issued,
		"ShownPass":   s.call("GET", "/v1/passes/"+issued.text("id"), ""),
		"Passes":      s.call("GET", "/v1/passes", ""),
		"Verdict":     s.call("POST", "/v1/verify", `{"token":"`+token+`"}`),
		"RedeemedUse": s.call("POST", "/v1/redeem", `{"token":"`+token+`","scope":"a"}`),
		"Problem":     s.call("POST", "/v1/passes", `{"scope":""}`),
		"BatchCounts": s.call("GET", "/v1/batches/b", ""),
		"Revocation":  s.call("POST", "/v1/revocations", `{"scope":"zzz"}`),
		"SessionPage": s.call("GET", "/v1/sessions", ""),
		"Uses":        s.call("GET", "/v1/uses", ""),
		"Events":      s.call("GET", "/v1/events", ""),
	} {
		known, ok := doc.Components.Schemas[schema]
		if !ok {
			t.Errorf("there is no schema %s", schema)
		}
		members := got.object()
		for name := range members {
			if _, ok := known.Properties[name]; !ok {
				t.Errorf("%s: the document does not know %q", schema, name)
			}
		}
		for _, name := range known.Required {
			if _, ok := members[name]; !ok {
				t.Errorf("%s: the document requires %q, the answer has none", schema, name)
			}
		}
	}
	refused := s.call("POST", "/v1/redeem", `{"token":"x","scope":"a"}`).object()
	for _, name := range doc.Components.Schemas["RedeemedUse"].Required {
		if _, ok := refused[name]; !ok {
			t.Errorf("a refused redemption has no %q, which the document requires", name)
		}
	}
}

func TestAPublicValidatorAcceptsTheDocument(t *testing.T) {
	t.Parallel()
	node, dir := needs.Node(t, "@apidevtools/swagger-parser@13.1.0")
	_, text := newSite(t).document(t)
	const program = `
import SwaggerParser from "@apidevtools/swagger-parser";
const api = await SwaggerParser.validate("openapi.json");
console.log(api.openapi, Object.keys(api.paths).length);
// That it validates at all: a document with a mistake must not pass.
const wrong = JSON.parse((await import("node:fs")).readFileSync("openapi.json"));
wrong.paths["/v1/passes"].get.parameters[0].in = "nowhere";
await SwaggerParser.validate(wrong).then(() => console.log("a wrong document passed"), () => {});
`
	writeFile(t, dir, "openapi.json", text)
	writeFile(t, dir, "validate.js", program)
	if got := run(t, dir, node, "validate.js"); got != "3.1.0 15" {
		t.Error(got)
	}
}

func TestAGeneratedClientCalls(t *testing.T) {
	t.Parallel()
	node, dir := needs.Node(t, "openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3")
	s := newSite(t)
	_, text := s.document(t)
	writeFile(t, dir, "openapi.json", text)
	// Typed by the document: a field that it does not know, or an answer's member
	// that it does not promise, does not compile.
	writeFile(t, dir, "call.ts", `
import createClient from "openapi-fetch";
import type { paths } from "./api";
declare const process: { argv: string[] };
const client = createClient<paths>({ baseUrl: process.argv[2]!, headers: { Authorization: "Bearer " + process.argv[3]! } });
const issued = await client.POST("/v1/passes", { body: { scope: "report", mode: "request", subject: "ada", max_uses: 1, data: { a: 1 } } });
if (!issued.data) throw new Error(JSON.stringify(issued.error));
const token: string = issued.data.token;
const redeemed = await client.POST("/v1/redeem", { body: { token, scope: "report", client_ip: "192.0.2.1" } });
const again = await client.POST("/v1/redeem", { body: { token, scope: "report" } });
const shown = await client.GET("/v1/passes/{id}", { params: { path: { id: issued.data.id } } });
const uses = await client.GET("/v1/passes/{id}/uses", { params: { path: { id: issued.data.id }, query: { limit: 5 } } });
const wrong = await client.POST("/v1/passes", { body: { scope: "" } });
const asked = await client.POST("/v1/introspect", { body: { token }, bodySerializer: (b) => new URLSearchParams(b as Record<string, string>), headers: { "Content-Type": "application/x-www-form-urlencoded" } });
console.log(redeemed.data?.valid, redeemed.data?.subject, again.data?.reason, shown.data?.state, shown.data?.uses_left, uses.data?.uses?.length, wrong.error?.field, asked.data?.active);
`)
	run(t, dir, node, "node_modules/openapi-typescript/bin/cli.js", "openapi.json", "-o", "api.d.ts")
	run(t, dir, node, "node_modules/typescript/bin/tsc", "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", "--skipLibCheck", "--lib", "es2022,dom", "call.ts")
	if got := run(t, dir, node, "call.js", s.url, s.token); got != "true ada spent spent 0 1 scope false" {
		t.Error(got)
	}
	if types, err := os.ReadFile(filepath.Join(dir, "api.d.ts")); err != nil || !regexp.MustCompile(`issuePass:`).Match(types) {
		t.Errorf("the generated types know no issuePass: %v", err)
	}
}

func writeFile(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
