package adminui

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
)

// htmx is 2.0.11 as published, for the preview and the overview alone; its licence
// stands beside it.
//
//go:embed assets/*
var assetFiles embed.FS

type asset struct {
	kind string
	body []byte
}

// assets are served under names with their hash in them, so they never change.
type assets struct {
	names map[string]string // by the name in the folder
	files map[string]asset  // by the name that is served
}

func newAssets() (assets, error) {
	a := assets{names: map[string]string{}, files: map[string]asset{}}
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		return a, err
	}
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".txt": "text/plain; charset=utf-8"}
	for _, entry := range entries {
		body, err := assetFiles.ReadFile("assets/" + entry.Name())
		if err != nil {
			return a, err
		}
		sum, ext := sha256.Sum256(body), path.Ext(entry.Name())
		served := strings.TrimSuffix(entry.Name(), ext) + "." + hex.EncodeToString(sum[:8]) + ext
		a.names[entry.Name()], a.files[served] = served, asset{kinds[ext], body}
	}
	return a, nil
}

// serve answers without asking who it is: the files are the same for everybody.
func (a assets) serve(w http.ResponseWriter, r *http.Request, name string) {
	file, ok := a.files[name]
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	switch {
	case !ok:
		http.NotFound(w, r)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	h.Set("Content-Type", file.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.Method == http.MethodGet {
		_, _ = w.Write(file.body)
	}
}
