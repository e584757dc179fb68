package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// settingsFile is a configuration file as it was read.
type settingsFile struct {
	name     string
	values   map[string]any // by the usual name
	lines    map[string]int
	raw      map[string]*yaml.Node
	problems []problem
}

// problem is one thing that is wrong with the configuration.
type problem struct {
	Where  string `json:"where"` // FILE:LINE, a variable, or empty for the command line
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// String returns the problem as one line.
func (p problem) String() string {
	if p.Where == "" {
		return p.Detail
	}
	return p.Where + ": " + p.Detail
}

// readSettings reads YAML into settings by name. What no flag knows is a problem
// that names the line and what may have been meant.
func readSettings(text, file string, known map[string]known) settingsFile {
	f := settingsFile{name: file, values: map[string]any{}, lines: map[string]int{}, raw: map[string]*yaml.Node{}}
	dec := yaml.NewDecoder(strings.NewReader(text))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return f
	} else if err != nil {
		f.problems = append(f.problems, problem{file, "config", strings.TrimPrefix(err.Error(), "yaml: ")})
		return f
	}
	if len(doc.Content) == 1 && doc.Content[0].Tag != "!!null" {
		r := settingsReader{settingsFile: &f, known: known}
		r.section("", doc.Content[0])
	}
	if err := dec.Decode(&doc); !errors.Is(err, io.EOF) {
		f.problems = append(f.problems, problem{file, "config", "holds more than one document"})
	}
	return f
}

type settingsReader struct {
	*settingsFile
	known map[string]known
}

func (r settingsReader) section(prefix string, node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		name := strings.TrimSuffix(prefix, ".")
		r.wrong(node, orText(name, "config"), "%s must be a section of settings", orText(name, "the file"))
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		name := prefix + key.Value
		k, isSetting := r.known[name]
		switch {
		case isSetting && !(value.Kind == yaml.MappingNode && r.isSection(name)): // keys is both
			r.setting(k, key, value)
		case r.isSection(name):
			if value.Tag != "!!null" {
				r.section(name+".", value)
			}
		default:
			r.wrong(key, name, "unknown setting %q%s", name, didYouMean(name, r.names()))
		}
	}
}

func (r settingsReader) setting(k known, key, value *yaml.Node) {
	if r.lines[k.name] != 0 {
		r.wrong(key, k.name, "%s is there twice", k.name)
		return
	}
	r.lines[k.name] = key.Line
	if k.raw {
		r.raw[k.name] = value
		return
	}
	v, reason := k.value(value)
	if reason != "" {
		r.wrong(value, k.name, "%s", reason)
		return
	}
	r.values[k.name] = v
}

func (r settingsReader) isSection(name string) bool {
	for known := range r.known {
		if strings.HasPrefix(known, name+".") {
			return true
		}
	}
	return false
}

func (r settingsReader) names() (names []string) {
	for name := range r.known {
		if strings.HasPrefix(name, "serve.") {
			continue
		}
		names = append(names, name)
		if section, _, found := strings.Cut(name, "."); found {
			names = append(names, section)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (f *settingsFile) wrong(node *yaml.Node, field, format string, args ...any) {
	f.problems = append(f.problems, problem{fmt.Sprintf("%s:%d", f.name, node.Line), field, fmt.Sprintf(format, args...)})
}
