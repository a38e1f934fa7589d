// node parse.mjs URL FILE FILE_TYPE FOLDER: only `file` and `fileType` are sent; all that comes back is written.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const [url, file, fileType, folder] = process.argv.slice(2)
const answer = await fetch(`${url}/layout-parsing`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ file: readFileSync(file).toString('base64'), fileType: Number(fileType) }),
})
if (answer.status !== 200) throw new Error(await answer.text())
const { result } = await answer.json()
result.layoutParsingResults.forEach((page, number) => {
  console.log(JSON.stringify(page.prunedResult))
  writeFileSync(join(folder, `page-${number}.md`), page.markdown.text)
  for (const [name, encoded] of Object.entries(page.markdown.images)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), Buffer.from(encoded, 'base64'))
  }
  for (const [name, encoded] of Object.entries(page.outputImages)) {
    writeFileSync(join(folder, `${name}-${number}.jpg`), Buffer.from(encoded, 'base64'))
  }
})
