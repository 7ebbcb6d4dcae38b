// SPDX-License-Identifier: Apache-2.0

//! Files made up for calibrating file-type models.
//!
//! A program's identity must not depend on what lies on the machine that compiles it, so calibration
//! uses no file of that machine: a seeded generator writes small files of many kinds. They need not
//! be valid; they must make the model's values as large as real files do.

/// A counter-based generator (SplitMix64, Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
	fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	fn below(&mut self, limit: usize) -> usize {
		(self.next() % limit.max(1) as u64) as usize
	}

	fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
		from[self.below(from.len())]
	}

	fn bytes(&mut self, count: usize) -> Vec<u8> {
		(0..count).map(|_| self.next() as u8).collect()
	}
}

const WORDS: &[&str] = &[
	"account", "alpha", "apply", "array", "begin", "block", "buffer", "build", "cache", "check",
	"child", "class", "client", "close", "color", "config", "count", "create", "data", "default",
	"delete", "depth", "detail", "entry", "error", "event", "field", "file", "filter", "first",
	"format", "group", "handle", "header", "height", "index", "input", "item", "key", "label",
	"last", "layer", "length", "level", "limit", "line", "list", "load", "map", "match", "message",
	"method", "model", "module", "name", "node", "number", "object", "offset", "option", "order",
	"output", "page", "parent", "parse", "path", "point", "print", "process", "query", "queue",
	"range", "read", "record", "remove", "report", "request", "result", "return", "root", "row",
	"scale", "search", "server", "shape", "size", "source", "start", "state", "status", "store",
	"string", "table", "target", "task", "test", "text", "time", "token", "total", "type",
	"update", "user", "value", "version", "width", "window", "write",
];

/// Kinds of text: how a file begins, lines of its middle, how it ends. `$w` is a word, `$n` a number.
const TEXTS: &[(&str, &[&str], &str)] = &[
	("#include <stdio.h>\n#include \"$w.h\"\n\n", &[
		"static int $w_$w(struct $w *$w, size_t $w)\n{\n\tif (!$w->$w)\n\t\treturn -$n;\n\treturn $w[$n];\n}\n\n",
		"#define $w_$w 0x$n\n", "/* $w $w $w the $w of a $w. */\n", "\tmemcpy($w, &$w[$n], sizeof(*$w));\n",
	], "int main(void)\n{\n\treturn 0;\n}\n"),
	("#!/usr/bin/env python3\n\"\"\"$w $w.\"\"\"\nimport os\nfrom $w import $w\n\n", &[
		"def $w_$w(self, $w=$n):\n    for $w in self.$w:\n        yield $w['$w']\n\n",
		"class $w(object):\n    $w = $n\n\n", "    raise ValueError('$w %s' % $w)\n", "# $w $w $w\n",
	], "if __name__ == '__main__':\n    main()\n"),
	("use std::$w::$w;\n\n//! $w $w\n\n", &[
		"pub fn $w(&mut self, $w: &[u8]) -> Result<Vec<$w>, Error> {\n    let $w = self.$w.iter().map(|x| x + $n);\n    Ok($w)\n}\n\n",
		"#[derive(Debug, Clone)]\npub struct $w {\n    $w: u$n,\n}\n\n", "impl<T> $w for $w<T> {}\n",
	], "#[test]\nfn $w() {\n    assert_eq!($n, $n);\n}\n"),
	("'use strict';\n\nconst $w = require('$w');\n\n", &[
		"function $w($w, $w) {\n  return $w.$w(($w) => $w === $n);\n}\n\n", "export const $w = { $w: '$w', $w: $n };\n",
		"document.getElementById('$w').addEventListener('$w', async () => { await $w(); });\n",
	], "module.exports = { $w };\n"),
	("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>$w $w</title></head>\n<body>\n", &[
		"<div class=\"$w\"><p>$w $w $w <a href=\"/$w/$w.html\">$w</a></p></div>\n", "<li>$w $n</li>\n",
		"<script>var $w = $n;</script>\n",
	], "</body>\n</html>\n"),
	("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<$w xmlns=\"http://www.$w.org/$n\">\n", &[
		"  <$w id=\"$n\" $w=\"$w\">$w</$w>\n", "  <!-- $w $w -->\n", "  <$w/>\n",
	], "</$w>\n"),
	("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 $n $n\">\n", &[
		"<path d=\"M$n $n L$n $nZ\" fill=\"#$n\"/>\n", "<rect x=\"$n\" y=\"$n\" width=\"$n\" height=\"$n\"/>\n",
	], "</svg>\n"),
	("{\n", &["  \"$w\": \"$w\",\n", "  \"$w\": [$n, $n, $n],\n", "  \"$w\": {\"$w\": $n, \"$w\": null},\n"], "  \"$w\": true\n}\n"),
	("", &["{\"$w\": $n, \"$w\": \"$w\"}\n"], ""),
	("---\n$w: $n\n", &["$w:\n  - $w: $n\n    $w: \"$w $w\"\n", "# $w\n$w: [$w, $w]\n"], "...\n"),
	("[package]\nname = \"$w\"\nversion = \"$n.$n.0\"\n\n", &["$w = { version = \"$n\", features = [\"$w\"] }\n", "[$w.$w]\n$w = $n\n"], ""),
	("[$w]\n", &["$w=$w\n", "; $w $w\n", "[$w $w]\n$w = $n\n"], ""),
	("$w,$w,$w,$w\n", &["$n,$w,$n.$n,$w\n", "$n,\"$w $w\",$n,\n"], ""),
	("$w\t$w\t$w\n", &["$n\t$w\t$n\n"], ""),
	("# $w $w\n\n", &["## $w\n\n$w $w `$w` $w [$w](https://$w.org/$w).\n\n", "- $w **$w** $w\n", "```sh\n$w --$w $n\n```\n\n", "| $w | $w |\n|---|---|\n"], "\n"),
	("$w $w\n=========\n\n", &[".. $w:: $w\n   :$w: $n\n\n", "$w $w ``$w`` $w :ref:`$w`.\n\n"], ""),
	("#!/bin/sh\nset -e\n\n", &["if [ -f \"$$w/$w\" ]; then\n\techo \"$w $w\" >&2\nfi\n", "for $w in $$w; do $w -$n \"$$w\"; done\n", "export $w=$w\n"], "exit 0\n"),
	("@echo off\r\nsetlocal\r\n", &["set $w=%$w%\r\n", "if \"%$w%\"==\"$n\" goto $w\r\n", ":$w\r\ncall $w.exe /$w $n\r\n"], "exit /b 0\r\n"),
	("param([string]$$w)\n", &["$$w = Get-$w -$w $$w | Where-Object { $_.$w -eq $n }\n", "Write-Host \"$w $$w\"\n"], ""),
	("CC = gcc\nall: $w\n\n", &["$w: $w.o $w.c\n\t$$(CC) -o $$@ $$< -l$w\n\n", ".PHONY: $w\n"], "clean:\n\trm -f *.o\n"),
	("cmake_minimum_required(VERSION $n.$n)\nproject($w)\n", &["add_library($w $w.cpp)\n", "if($w)\n  set($w $n)\nendif()\n"], ""),
	("CREATE TABLE $w ($w INTEGER PRIMARY KEY, $w TEXT);\n", &["INSERT INTO $w ($w, $w) VALUES ($n, '$w');\n", "SELECT $w FROM $w WHERE $w = $n ORDER BY $w;\n"], "COMMIT;\n"),
	("@charset \"utf-8\";\n", &[".$w > #$w { margin: $npx; color: #$n; }\n", "@media (max-width: $npx) { $w { display: none } }\n"], ""),
	("diff --git a/$w b/$w\n--- a/$w\n+++ b/$w\n", &["@@ -$n,$n +$n,$n @@\n $w $w\n-$w $n\n+$w $w\n"], ""),
	("\\documentclass{article}\n\\begin{document}\n", &["\\section{$w $w}\n$w $w $$$w^{$n}$$ \\cite{$w} $w.\n\n", "\\begin{$w}\n\\item $w\n\\end{$w}\n"], "\\end{document}\n"),
	("package $w;\n\nimport java.util.$w;\n\n", &["public class $w extends $w {\n    private final int $w = $n;\n    public void $w(String $w) { this.$w = $w; }\n}\n"], ""),
	("package main\n\nimport \"fmt\"\n\n", &["func ($w *$w) $w($w int) error {\n\tfmt.Println(\"$w\", $n)\n\treturn nil\n}\n\n"], ""),
	("<?php\nnamespace $w;\n", &["function $w($$w) { return $$w['$w'] . \"$w\"; }\n", "$$w->$w($n);\n"], "?>\n"),
	("#!/usr/bin/perl\nuse strict;\nuse warnings;\n", &["sub $w { my ($$w, @$w) = @_; return $$w->{$w} =~ s/$w/$w/g; }\n", "print \"$w\\n\" if $$w > $n;\n"], "1;\n"),
	("require '$w'\n\nmodule $w\n", &["  def $w($w)\n    @$w ||= $w.map { |x| x[:$w] }\n  end\n\n"], "end\n"),
	("\t.file \"$w.c\"\n\t.text\n", &["$w:\n\tmovq %rax, $n(%rsp)\n\tcallq $w\n\tret\n", "\t.section .$w,\"ax\"\n"], ""),
	("FROM $w:$n\n", &["RUN apt-get install -y $w && rm -rf /$w/*\n", "COPY $w /$w\n", "ENV $w=$w\n"], "CMD [\"$w\"]\n"),
	("-----BEGIN CERTIFICATE-----\n", &["MII$nCA$nagIB$w$n$wA0GCSqGSIb3DQEBCwUAMF0x$nzAJ$wBgNVBAYT$n\n"], "-----END CERTIFICATE-----\n"),
	("", &["$w $w $w $w $w, $w $w. $w $w $w $w $w $w.\n", "$w $w the $w of $w and $w $w $w.\n\n"], ""),
	("", &["$n-$n-$n 12:$n:00 [$w] $w: $w $w ($n)\n"], ""),
	("", &["/$w/$w\n", "*.$w\n", "!$w/$w.$w\n"], ""),
	("; $w\n(defun $w ($w)\n", &["  (let (($w $n) ($w '($w $w))) (when $w ($w $w)))\n"], ")\n"),
	("      PROGRAM $w\n      IMPLICIT NONE\n", &["      INTEGER $w($n)\n      DO 10 I = 1, $n\n        $w(I) = $w * $n.$nD0\n   10 CONTINUE\nC     $w $w\n"], "      END\n"),
	("proc $w {$w $w} {\n", &["    set $w [lindex $$w $n]\n    if {$$w eq \"$w\"} { puts $$w }\n"], "}\n"),
	("msgid \"\"\nmsgstr \"Content-Type: text/plain\\n\"\n\n", &["#: $w/$w.c:$n\nmsgid \"$w $w\"\nmsgstr \"$w\"\n\n"], ""),
];

/// Kinds of binary file: how they begin and how they end.
const BINARIES: &[(&[u8], &[u8])] = &[
	(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0", b".symtab\0.strtab\0.shstrtab\0.text\0.data\0"),
	(b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8\0\0\0\0\0\0\0@\0\0\0This program cannot be run in DOS mode.\r\r\n$", b"\0\0\0\0"),
	(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0\x08\x06\0\0\0", b"\0\0\0\0IEND\xaeB`\x82"),
	(b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xdb\0C\0", b"\xff\xd9"),
	(b"GIF89a\x40\0\x40\0\xf7\0\0", b"\0;"),
	(b"PK\x03\x04\x14\0\0\0\x08\0META-INF/MANIFEST.MF", b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x3c\0\0\0\x80\0\0\0\0\0"),
	(b"\x1f\x8b\x08\0\0\0\0\0\0\x03", b"\0\0\x10\0"),
	(b"BZh91AY&SY", b"\x17rE8P\x90"),
	(b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F", b"\0\0\0\0\x04YZ"),
	(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n", b"\nstartxref\n116\n%%EOF\n"),
	(b"RIFF\x24\x80\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0", b"\0\0\0\0"),
	(b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20", b"\0"),
	(b"\xca\xfe\xba\xbe\0\0\0\x34\0\x1d\x0a\0\x06\0\x0f\x09java/lang/Object", b"SourceFile\x01\0\x0aMain.java"),
	(b"\0asm\x01\0\0\0\x01\x07\x01\x60\x02\x7f\x7f\x01\x7f\x03", b"\0\x0b"),
	(b"BM\x36\x84\x03\0\0\0\0\0\x36\0\0\0\x28\0\0\0", b"\xff\xff\xff"),
	(b"\0\x01\0\0\0\x0f\0\x80\0\x03\0\x70FFTM", b"\0\0"),
	(b"wOF2\0\x01\0\0", b"\0"),
	(b"ID3\x04\0\0\0\0\x0f\x76TIT2", b"\xff\xfb\x90\x64"),
	(b"OggS\0\x02\0\0\0\0\0\0\0\0", b"OggS\0\x04"),
	(b"fLaC\0\0\0\x22\x10\0\x10\0", b"\xff\xf8"),
	(b"\xa7\x0d\x0d\x0a\0\0\0\0", b"\xa9\0r\x01\0\0\0"),
	(b"\x93NUMPY\x01\0\x76\0{'descr': '<f8', 'fortran_order': False, 'shape': (8, 8), }\n", b"\0"),
	(b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0", b"\0"),
	(b"dex\n035\0", b"\0\0"),
	(b"!<arch>\ndebian-binary   1700000000  0     0     100644  4         `\n2.0\n", b"\0"),
	(b"II*\0\x08\0\0\0", b"\0\0\0\0"),
	(b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0", b"\0"),
	(b"\x08\x07\x12\x07pytorch\x1a\x051.0.0:", b"B\x04\n\0\x10\x0d"),
	(b"bplist00\xd1\x01\x02", b"\0\0\0\0\0\0\x01\x01"),
	(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0", b"\0\0"),
	(b"ustar\0" as &[u8], b"\0\0\0\0"),
];

/// Files of many kinds, the same on every machine.
pub fn files() -> Vec<Vec<u8>> {
	let mut random = Random(0x7465_6e73_6f72_6e65);
	let mut files = Vec::new();
	for (begin, lines, end) in TEXTS {
		for length in [700, 6000] {
			let mut text = String::new();
			fill(&mut random, begin, &mut text);
			while text.len() < length {
				fill(&mut random, random_line(lines, text.len()), &mut text);
			}
			fill(&mut random, end, &mut text);
			files.push(text.into_bytes());
		}
	}
	for (number, (begin, end)) in BINARIES.iter().enumerate() {
		let body = match number % 3 {
			0 => random.bytes(5000),
			1 => sparse(&mut random, 5000),
			_ => ramps(&mut random, 900),
		};
		files.push([begin, body.as_slice(), end].concat());
	}
	files.extend([0, b' ' + 1, 0xff, b'a'].map(|byte| vec![byte; 3000]));
	files.extend([random.bytes(64), random.bytes(8000), sparse(&mut random, 8000)]);
	files.extend([
		b"12345678".to_vec(),
		b"hello, world".to_vec(),
		b"\0\0\0\0\x01\0\0\0\xff".to_vec(),
	]);
	let letters = "ação größe naïve Übung 文件类型 データ данные تجربة 🙂 ".repeat(60).into_bytes();
	files.push(letters);
	files
}

fn random_line<'a>(lines: &[&'a str], salt: usize) -> &'a str {
	lines[salt.wrapping_mul(0x9e37) / 7 % lines.len()]
}

/// Appends a template with its words and numbers filled in; `$$` is a dollar sign.
fn fill(random: &mut Random, template: &str, text: &mut String) {
	let mut parts = template.split('$');
	text.push_str(parts.next().unwrap_or(""));
	let mut literal = false;
	for part in parts {
		if literal {
			literal = false;
			text.push_str(part);
			continue;
		}
		match part.as_bytes().first() {
			Some(b'w') => {
				text.push_str(random.pick(WORDS));
				text.push_str(&part[1..]);
			}
			Some(b'n') => {
				let digits = 1 + random.below(5) as u32;
				text.push_str(&random.below(10usize.pow(digits)).to_string());
				text.push_str(&part[1..]);
			}
			Some(_) => {
				text.push('$');
				text.push_str(part);
			}
			None => {
				text.push('$');
				literal = true;
			}
		}
	}
}

/// Mostly zeros.
fn sparse(random: &mut Random, length: usize) -> Vec<u8> {
	(0..length).map(|_| if random.below(5) == 0 { random.next() as u8 } else { 0 }).collect()
}

/// Runs and slopes, as in uncompressed images and sound.
fn ramps(random: &mut Random, length: usize) -> Vec<u8> {
	let mut level = 128u8;
	(0..length)
		.map(|_| {
			level = level.wrapping_add(random.below(5) as u8).wrapping_sub(2);
			level
		})
		.collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_set_is_always_the_same() {
		let (a, b) = (files(), files());
		assert_eq!(a, b);
		assert!(a.len() > 100);
		let all: Vec<u8> = a.concat();
		let root = crate::package::hex(blake3::hash(&all).as_bytes());
		assert_eq!(
			root, "b25e5de2d0daf0e583412f48d5bf6ad726be508cd3add871777d99d3df33b198",
			"changing the set changes every program calibrated with it"
		);
	}

	#[test]
	fn templates_are_filled_in() {
		let mut text = String::new();
		fill(&mut Random(1), "a $w $$x $n $_.", &mut text);
		assert!(text.starts_with("a ") && !text.contains("$w") && text.contains(" $x "));
		assert!(text.ends_with(" $_."), "{text}");
	}
}
