package cli

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// nodeText is what a node says, without comments and style. Order is kept: of two
// patterns the first decides.
func nodeText(node *yaml.Node) string {
	switch {
	case node == nil:
		return ""
	case node.Kind == yaml.AliasNode:
		return nodeText(node.Alias)
	case node.Kind == yaml.ScalarNode:
		return strconv.Quote(node.Tag + " " + node.Value)
	}
	var b strings.Builder
	b.WriteString(node.Tag + "(")
	for _, inner := range node.Content {
		b.WriteString(nodeText(inner) + ",")
	}
	return b.String() + ")"
}
