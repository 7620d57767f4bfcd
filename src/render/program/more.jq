# What jq has and jaq's own libraries leave to the program around them.

def @csv: [.[] |
    if . == null then ""
  elif isstring then "\"\(split("\"") | join("\"\""))\""
  elif . < ""   then tojson
  else error("\(type) can't be a cell of @csv") end] | join(",");

def @tsv: [.[] |
    if . == null then ""
  elif isstring then
    split("\\") | join("\\\\") | split("\t") | join("\\t") | split("\n") | join("\\n") | split("\r") | join("\\r")
  elif . < ""   then tojson
  else error("\(type) can't be a cell of @tsv") end] | join("\t");

def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);
def INDEX(f): INDEX(.[]; f);
def IN(s): any(s == .; .);
def IN(source; s): any(source == s; .);
