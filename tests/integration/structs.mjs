/*
 * Prints where till.mjs has the fields of its structs: STRUCT FIELD OFFSET SIZE.
 *
 * With a server and structs.json it makes the calls of that file instead, and prints their answers field by field.
 */
import assert from 'node:assert';
import fs from 'node:fs';
import process from 'node:process';

import koffi from 'koffi';
import { load, sized, structs, texts } from './till.mjs';

function printLayout() {
    for (const [name, struct] of Object.entries(structs)) {
        for (const [field, { offset, type }] of Object.entries(koffi.type(struct).members))
            console.log(name, field, offset, koffi.sizeof(type));
    }
}

/* The fields of a struct; of lists only the texts. */
function readable(struct, answer) {
    const out = {};
    for (const [field, { type }] of Object.entries(koffi.type(struct).members)) {
        if (field === 'text' && typeof answer[field] !== 'string')
            out[field] = texts(answer);
        else if (type.members)
            out[field] = readable(type, answer[field]);
        else if (type.primitive !== 'Array' && type.name !== 'void *')
            out[field] = answer[field];
    }
    return out;
}

/* A struct of these values. */
const made = (type, { lines, ...fields }) =>
    sized(type, { ...fields, ...(lines && { lines: lines.map((line) => made(structs.punkt_line, line)) }) });

function ask(server, path) {
    const library = koffi.load(process.env.PUNKT_LIBRARY);
    const punkt = load();
    const handle = [null];
    assert.equal(punkt.punkt_new(sized(structs.punkt_options, { server, epoch: 7, next_number: 1 }), handle), 0);
    for (const { call, request, fields, answer } of JSON.parse(fs.readFileSync(path))) {
        const callIt = library.func(`int ${call}(void *punkt, const ${request} *request, _Inout_ ${answer} *answer)`);
        const out = { head: { size: koffi.sizeof(answer) } };
        callIt(handle[0], made(request, fields), out);
        console.log(JSON.stringify(readable(answer, out)));
    }
    punkt.punkt_free(handle[0]);
}

if (process.argv.length === 2)
    printLayout();
else
    ask(...process.argv.slice(2));
