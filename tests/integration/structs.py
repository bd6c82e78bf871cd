"""Prints where till.py has the fields of its structs: STRUCT FIELD OFFSET SIZE.

With a server and structs.json it makes the calls of that file instead, and prints their answers field by field.
"""
import ctypes as c
import json
import sys

import till


def print_layout():
    for name, kind in till.STRUCTS.items():
        for field, _ in kind._fields_:
            print(name, field, getattr(kind, field).offset, getattr(kind, field).size)


def readable(answer):
    """The fields of a struct; of lists only the texts."""
    out = {}
    for field, kind in answer._fields_:
        value = getattr(answer, field)
        if field == 'text' and kind is not c.c_char_p:
            out[field] = [line.decode() for line in till.texts(answer)]
        elif isinstance(value, c.Structure):
            out[field] = readable(value)
        elif isinstance(value, bytes):
            out[field] = value.decode()
        elif isinstance(value, int) and kind is not c.c_void_p:
            out[field] = value
    return out


def made(kind, fields):
    """A struct of these values."""
    values = {}
    for name, value in fields.items():
        if isinstance(value, list):
            value = (till.Line * len(value))(*(made(till.Line, element) for element in value))
        values[name] = value.encode() if isinstance(value, str) else value
    return till.sized(kind, **values)


def ask(server, path):
    library, handle = till.load(), till.Handle()
    options = till.sized(till.Options, server=server.encode(), epoch=7, next_number=1)
    assert library.punkt_new(options, handle) == till.DONE
    with open(path, encoding='utf-8') as file:
        cases = json.load(file)
    for case in cases:
        answer = till.sized(till.STRUCTS[case['answer']])
        call = library[case['call']]
        call.argtypes = [till.Handle, c.c_void_p, c.c_void_p]
        call(handle, c.byref(made(till.STRUCTS[case['request']], case['fields'])), c.byref(answer))
        print(json.dumps(readable(answer), separators=(',', ':')))
    library.punkt_free(handle)


if len(sys.argv) == 1:
    print_layout()
else:
    ask(*sys.argv[1:])
