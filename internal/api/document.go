package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hallpass-go/hallpass/internal/wire"
)

// document makes the OpenAPI 3.1 document from the types that bind reads and
// answer writes, by huma. Nothing else here knows huma: its own reading of
// requests has other statuses and errors than the command line and files have,
// takes the last of two equal names, and blames us for a body that broke off.
type document struct{ api huma.API }

// noAdapter serves nothing.
type noAdapter struct{}

func (noAdapter) Handle(*huma.Operation, func(huma.Context))   {}
func (noAdapter) ServeHTTP(http.ResponseWriter, *http.Request) {}

const problemSchema = "#/components/schemas/Problem"

func newDocument(prefix, version string) *document {
	cfg := huma.Config{OpenAPI: &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "hallpass", Version: version,
			Description: "Permission slips for HTTP: issue, verify, redeem and take back passes. The bearer token is itself a pass, of scope hallpass:api.",
			License:     &huma.License{Name: "MIT", Identifier: "MIT"},
		},
		Components: &huma.Components{
			Schemas:         huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{"pass": {Type: "http", Scheme: "bearer"}},
		},
		Security: []map[string][]string{{"pass": {}}},
	}}
	if prefix == "" {
		prefix = "/"
	}
	cfg.Servers = []*huma.Server{{URL: prefix}}
	d := &document{huma.NewAPI(cfg, noAdapter{})}
	schemaOf[wire.Problem](d)
	return d
}

func schemaOf[T any](d *document) *huma.Schema {
	type holder struct{ Body T }
	field, _ := reflect.TypeFor[holder]().FieldByName("Body")
	return huma.SchemaFromField(d.api.OpenAPI().Components.Schemas, field, "")
}

// describe adds an endpoint that reads an I and answers an O.
func describe[I, O any](d *document, rt route) {
	type output struct{ Body O }
	op := d.operation(rt)
	if rt.status == http.StatusNoContent {
		huma.Register(d.api, op, func(context.Context, *I) (*struct{}, error) { return nil, nil })
		return
	}
	huma.Register(d.api, op, func(context.Context, *I) (*output, error) { return nil, nil })
	if rt.form {
		body := d.api.OpenAPI().Paths[rt.path].Post.RequestBody
		body.Content = map[string]*huma.MediaType{"application/x-www-form-urlencoded": body.Content["application/json"]}
	}
}

// describeLines adds an endpoint that reads a B a line and answers an O a line.
func describeLines[I, B, O any](d *document, rt route) {
	op := d.operation(rt)
	op.RequestBody = &huma.RequestBody{
		Required: true, Description: "One object a line.",
		Content: map[string]*huma.MediaType{bulkType: {Schema: schemaOf[B](d)}},
	}
	op.Responses[strconv.Itoa(rt.status)] = &huma.Response{
		Description: "One object a line, in the order of the request.",
		Content: map[string]*huma.MediaType{bulkType: {Schema: &huma.Schema{
			OneOf: []*huma.Schema{schemaOf[O](d), schemaOf[bulkBad](d)},
		}}},
	}
	huma.Register(d.api, op, func(context.Context, *I) (*struct{}, error) { return nil, nil })
}

func (d *document) operation(rt route) huma.Operation {
	problem := func(what string) *huma.Response {
		return &huma.Response{Description: what, Content: map[string]*huma.MediaType{
			"application/problem+json": {Schema: &huma.Schema{Ref: problemSchema}},
		}}
	}
	return huma.Operation{
		Method: rt.method, Path: rt.path, OperationID: rt.id, Summary: rt.about, DefaultStatus: rt.status,
		Responses: map[string]*huma.Response{
			"400":     problem("The request is not valid; field says where."),
			"401":     problem("The caller is not known."),
			"403":     problem("The caller may not do this."),
			"default": problem("Any other error."),
		},
	}
}

// marshal returns the document.
func (d *document) marshal() ([]byte, error) {
	doc := d.api.OpenAPI()
	// huma registers its own error, which nothing here answers.
	for _, name := range []string{"ErrorModel", "ErrorDetail"} {
		delete(doc.Components.Schemas.Map(), name)
	}
	return json.Marshal(doc)
}

func (a *API) serveDocument(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(a.document)
}
