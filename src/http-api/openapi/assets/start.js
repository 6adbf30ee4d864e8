const description = new URL('../docs-json', document.currentScript.src).href;
window.addEventListener('load', () => SwaggerUIBundle({ url: description, dom_id: '#api', deepLinking: true }));
