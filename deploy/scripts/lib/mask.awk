# mask.awk copies stdin with each line of the file named by the variable "file",
# longest first, replaced by ***. Literal text: secrets are full of characters
# that mean something to a regular expression.
BEGIN {
  while ((getline line < file) > 0) secret[++n] = line
}
{
  for (i = 1; i <= n; i++) {
    out = ""
    while (at = index($0, secret[i])) {
      out = out substr($0, 1, at - 1) "***"
      $0 = substr($0, at + length(secret[i]))
    }
    $0 = out $0
  }
  print
}
