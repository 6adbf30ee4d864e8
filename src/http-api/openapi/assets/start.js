window.addEventListener('load', () => SwaggerUIBundle({ url: '/docs-json', dom_id: '#api', deepLinking: true }));
